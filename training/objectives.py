"""What is minimised. An objective maps a model and a batch to named terms; the trainer weighs and sums them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from aevq_hub import AEVQ
from aevq_hub.codebook import nearest_vectors
from aevq_hub.recipe import NEAREST_BY, Recipe

Terms = dict[str, Tensor]
RAMP_START = 0.01  # the share of λ1 and λ2 at which a ramp begins


@dataclass(frozen=True)
class Batch:
    """What one step is computed from.

    Attributes:
        x: images for the reconstruction (N, C, H, W).
        x_pull: other images, of which the nearest to the vectors are pulled (M, C, H, W); None where not drawn.
        labels: (N,) classes or (N, A) yes and no, −1 where missing; None without labels.
        step: steps of training before this one.
        epoch: epochs of training before this one.
        generator: for draws within the step.
    """

    x: Tensor
    x_pull: Tensor | None = None
    labels: Tensor | None = None
    step: int = 0
    epoch: int = 0
    generator: torch.Generator | None = None


@dataclass(frozen=True)
class Matches:
    """What went with what in a step, for vectors that move by more than the gradient.

    Attributes:
        z: latents (n, D) and
        indices: (n,) of the vectors that they went with.
        latents: all latents (or cells) of the batch (m, D), and
        nearest: (m,) the index of the vector nearest to each.
    """

    z: Tensor
    indices: Tensor
    latents: Tensor
    nearest: Tensor


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """‖a − b‖², summed over everything but the first dimension and averaged over that: (B, …), (B, …) → ()."""
    return F.mse_loss(a, b, reduction="sum") / len(a)


def variance(z: Tensor) -> Tensor:
    """Σ_d Var(z_d), over all latents of a batch (B, D) or all cells of its grids (B, D, h, w): → ()."""
    mean = z.flatten(2).mean((0, 2)) if z.ndim > 2 else z.mean(0)  # (D,)
    second = torch.dot(z.flatten(), z.flatten()) * (z.shape[1] / z.numel())
    return (second - mean.square().sum()).clamp_min(1e-3 * second + 1e-12)  # of a collapsed batch it is no divisor


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


def reconstruction(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """L_reconstruction alone: ‖x_i − D(E(x_i))‖² (section 3.1)."""
    return {"reconstruction": squared_distance(model.decode(model.encode(batch.x)), batch.x)}, None


def pull(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, Matches | None]:
    """Reconstruct, and draw latents and vectors to each other (sections 3.1–4.3).

    ``recipe.assignment`` says who picks whom: each vector the nearest of M other images (section 3.1), or each latent
    of the batch its nearest vector, as in VQ-VAE (sections 4.1–4.3). The pull is written as two terms of equal value,
    one with the gradient to the encoder and one with that to the vectors; weighed alike, they are the paper's one.
    Vectors that follow by an average (``recipe.ema_rate``) have no second term, and what the optional term would do to
    them it does to the latents that they follow: there v is z + sg[v − z].

    Where the model's decoder is fed from the codebook, it receives z + s · sg[q − z] with s rising from 0 to 1 over
    ``recipe.feed_steps`` after the warm-up; s = 1 is the straight-through estimator. During the warm-up there is only
    the reconstruction.

    Returns:
        ``reconstruction`` ‖x − D(·)‖²; ``encoder_pull`` ‖z − sg[v]‖² and ``vector_pull`` ‖sg[z] − v‖², divided by the
        latents' variance if ``recipe.pull_scale`` says so; ``center_reconstruction`` ‖x_j* − D(v)‖². Each is the mean
        over its images (or vectors). The last is left out where it is not trained and would cost more than the rest.
    """
    if batch.step < recipe.warmup_steps:
        return reconstruction(model, batch, recipe)
    trains_center = recipe.center_reconstruction_weight > 0
    if recipe.assignment == "vector-to-image":
        with torch.no_grad():  # only the chosen images are encoded again with gradients
            chosen = nearest(model.encode(batch.x_pull), model.codebook, recipe.nearest_by)  # (K,)
        star = batch.x_pull[chosen]  # (K, C, H, W): x_j*
        z, z_star = model.encode(torch.cat([batch.x, star])).split([len(batch.x), len(star)])
        v, indices = model.codebook, torch.arange(len(star), device=z.device)
        measures_center = trains_center or len(star) <= len(batch.x)
    else:
        star, z = batch.x, model.encode(batch.x)
        z_star, indices = z, nearest_vectors(z.movedim(1, -1), model.codebook)
        v = model.codebook[indices].movedim(-1, 1)
        measures_center = trains_center
    scale = 1.0
    if recipe.pull_scale == "variance":  # the pull becomes a share, 0 … 1, which shrinking all latents does not lower
        scale = len(z) * z.shape[1] / (z.numel() * variance(z.detach()))
    fed = z
    if model.config.feed == "codebook":
        q = v if recipe.assignment == "image-to-vector" else model.quantize(z)[0]
        share = min(1.0, (batch.step - recipe.warmup_steps + 1) / max(1, recipe.feed_steps))
        fed = z + share * (q - z).detach()  # straight-through: value of q, gradient of z
    terms = {
        "reconstruction": squared_distance(model.decode(fed), batch.x),
        "encoder_pull": squared_distance(z_star, v.detach()) * scale,
    }
    if not recipe.ema_rate:
        terms["vector_pull"] = squared_distance(z_star.detach(), v) * scale
    if measures_center:
        with torch.set_grad_enabled(torch.is_grad_enabled() and trains_center):
            # vectors that follow by an average get no gradient: the latents that they follow get it in their stead
            drawn = z_star + (v - z_star).detach() if recipe.ema_rate else v
            terms["center_reconstruction"] = squared_distance(model.decode(drawn), star)
    if not (recipe.ema_rate or recipe.restart_steps):
        return terms, None
    latents = z.detach().movedim(1, -1).flatten(0, -2)  # (m, D)
    if recipe.assignment == "image-to-vector":
        return terms, Matches(latents, indices.flatten(), latents, indices.flatten())
    return terms, Matches(z_star.detach(), indices, latents, nearest_vectors(latents, model.codebook))


def zero(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """Reconstruct, and draw every latent to the zero vector: ``encoder_pull`` ‖E(x_i)‖² (section 3.2)."""
    z = model.encode(batch.x)
    terms = {"reconstruction": squared_distance(model.decode(z), batch.x), "encoder_pull": z.square().sum(1).mean()}
    return terms, None


def vae(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """Reconstruct a draw from N(μ, σ²): the reconstruction's squared error and ``kl``, D_KL(N(μ, σ²) ‖ N(0, 1))."""
    mean, log_variance = model.encode_distribution(batch.x)
    noise = torch.randn(mean.shape, generator=batch.generator).to(mean.device)
    z = mean + (log_variance / 2).exp() * noise  # reparameterisation
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    return {"reconstruction": squared_distance(model.decode(z), batch.x), "kl": kl}, None


def classifier(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """First ``recipe.classifier_epochs`` of classification, then, the encoder frozen, reconstruction (section 2.1).

    Returns:
        ``classification``, the cross-entropy (of each attribute, for several labels), missing labels masked out; or
        ``reconstruction``, without a gradient to the encoder.
    """
    if batch.epoch >= recipe.classifier_epochs:
        with torch.no_grad():
            z = model.encode(batch.x)
        return {"reconstruction": squared_distance(model.decode(z), batch.x)}, None
    logits = model.head(model.encode(batch.x)).float()
    return {"classification": classification(logits, batch.labels)}, None


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits (B, classes) and classes (B,) or yes and no (B, classes); labels of −1 are left out."""
    known = labels >= 0
    if labels.ndim == 1:
        loss = F.cross_entropy(logits[known], labels[known], reduction="sum")
    else:
        loss = F.binary_cross_entropy_with_logits(logits[known], labels[known].float(), reduction="sum")
    return loss / known.sum().clamp_min(1)


def pull_weights(recipe: Recipe, step: int) -> dict[str, float]:
    """1, λ1 and λ2 of section 3.1; the last two rise over ``recipe.ramp_steps`` after the warm-up."""
    done = min(1.0, (step - recipe.warmup_steps + 1) / max(1, recipe.ramp_steps))
    risen = RAMP_START ** (1 - done)
    return {
        "reconstruction": 1.0,
        "encoder_pull": risen * recipe.pull_weight,
        "vector_pull": risen * recipe.pull_weight,
        "center_reconstruction": risen * recipe.center_reconstruction_weight,
    }


@dataclass(frozen=True)
class Objective:
    """An objective, what its terms weigh at a step, and whether it draws a second batch to pick from."""

    terms: Callable[[AEVQ, Batch, Recipe], tuple[Terms, Matches | None]]
    weights: Callable[[Recipe, int], dict[str, float]]
    draws_pull_batch: Callable[[Recipe], bool] = lambda recipe: False


OBJECTIVES = {
    "reconstruction": Objective(reconstruction, lambda recipe, step: {"reconstruction": 1.0}),
    "classifier": Objective(classifier, lambda recipe, step: {"classification": 1.0, "reconstruction": 1.0}),
    "pull": Objective(pull, pull_weights, lambda recipe: recipe.assignment == "vector-to-image"),
    "zero": Objective(zero, lambda recipe, step: {"reconstruction": 1.0, "encoder_pull": recipe.pull_weight}),
    "vae": Objective(vae, lambda recipe, step: {"reconstruction": 1.0, "kl": recipe.pull_weight}),
}


def total(terms: Terms, weights: dict[str, float]) -> Tensor:
    """L_total: the weighted sum; a term of weight 0 is measured but has no gradient."""
    return sum(weights[name] * term for name, term in terms.items() if weights[name])
