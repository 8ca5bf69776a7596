"""What is minimised. An objective maps a model and a batch to named terms; the trainer weighs and sums them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.registry import NEAREST_BY, Recipe

Terms = dict[str, Tensor]


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """‖a − b‖², summed over everything but the first dimension and averaged over that: (B, …), (B, …) → ()."""
    return (a - b).square().flatten(1).sum(1).mean()


def nearest(z: Tensor, codebook: Tensor, by: str = "squared") -> Tensor:
    """For each vector the index of the latent nearest to it (section 3.1's x_j*): (M, D), (K, D) → (K,).

    Args:
        z: latents (M, D).
        codebook: vectors (K, D).
        by: ``squared`` distance, ``dot`` product or ``cosine`` similarity; the paper allows the three.

    Raises:
        ValueError: unknown ``by``.
    """
    if by not in NEAREST_BY:
        raise ValueError(f"unknown nearest_by {by!r}; choose from {', '.join(NEAREST_BY)}")
    if by == "squared":
        return torch.cdist(codebook, z).argmin(1)
    if by == "cosine":
        z = torch.nn.functional.normalize(z, dim=1)  # the vector's own length changes no order
    return (codebook @ z.T).argmax(1)


def reconstruction(model: AEVQ, x: Tensor, x_pull: Tensor, recipe: Recipe) -> Terms:
    """L_reconstruction alone: ‖x_i − D(E(x_i))‖² (section 3.1). ``x_pull`` is not used."""
    return {"reconstruction": squared_distance(model(x), x)}


def pull(model: AEVQ, x: Tensor, x_pull: Tensor, recipe: Recipe) -> Terms:
    """Reconstruct N images and draw, of M others, the latent nearest each vector to it (section 3.1).

    The gradient of the pull reaches both the encoder and the vector.

    Args:
        model: with a codebook (K, D).
        x: images for the reconstruction (N, C, H, W).
        x_pull: other images, to choose x_j* from (M, C, H, W).
        recipe: ``nearest_by`` and, if ``center_reconstruction_weight`` is 0, no gradient for that term.

    Returns:
        ``reconstruction`` ‖x − D(E(x))‖², ``encoder_pull`` ‖E(x_j*) − v‖² and ``center_reconstruction``
        ‖x_j* − D(v)‖², each the mean over its images.
    """
    with torch.no_grad():  # only the chosen images are encoded again with gradients
        chosen = x_pull[nearest(model.encode(x_pull), model.codebook, recipe.nearest_by)]  # (K, C, H, W)
    z, z_chosen = model.encode(torch.cat([x, chosen])).split([len(x), len(chosen)])
    with torch.set_grad_enabled(torch.is_grad_enabled() and recipe.center_reconstruction_weight > 0):
        center = squared_distance(model.decode(model.codebook), chosen)
    return {
        "reconstruction": squared_distance(model.decode(z), x),
        "encoder_pull": squared_distance(z_chosen, model.codebook),
        "center_reconstruction": center,
    }


@dataclass(frozen=True)
class Objective:
    """An objective, the recipe's settings that weigh its terms, and whether it draws a second batch."""

    terms: Callable[[AEVQ, Tensor, Tensor, Recipe], Terms]
    weights: Callable[[Recipe], dict[str, float]]
    draws_pull_batch: bool


OBJECTIVES = {
    "reconstruction": Objective(reconstruction, lambda recipe: {"reconstruction": 1.0}, draws_pull_batch=False),
    "pull": Objective(
        pull,
        lambda recipe: {
            "reconstruction": 1.0,
            "encoder_pull": recipe.pull_weight,
            "center_reconstruction": recipe.center_reconstruction_weight,
        },
        draws_pull_batch=True,
    ),
}


def total(terms: Terms, weights: dict[str, float]) -> Tensor:
    """L_total: the weighted sum; a term of weight 0 is measured but has no gradient."""
    return sum(weight * terms[name] for name, weight in weights.items() if weight)
