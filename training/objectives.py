"""The objectives. Each maps a model and a batch to named terms, which the trainer weights and adds up."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from aevq_hub import AEVQ
from aevq_hub.checks import one_of
from aevq_hub.codebook import nearest_vectors

from .recipe import NEAREST_BY, Recipe
from .remedies import remedies
from .step import Batch, Matches, Terms, squared_distance, variance

RAMP_START = 0.01  # the fraction of λ1 and λ2 at which a ramp begins


def nearest_latents(z: Tensor, codebook: Tensor, by: str = "squared", n: int = 1) -> Tensor:
    """For each vector the indices of its n nearest latents (section 3.1): (M, D), (K, D) → (K·n,).

    Nearest is meant by ``squared`` distance, ``dot`` product or ``cosine`` similarity, all of which the paper allows.

    Raises:
        ValueError: unknown ``by``.
    """
    one_of("nearest_by", by, NEAREST_BY)
    z, codebook = z.float(), codebook.float()
    with torch.autocast(z.device.type, enabled=False):  # its products are too coarse to find the nearest
        if by == "squared":
            near = -torch.cdist(codebook, z, compute_mode="donot_use_mm_for_euclid_dist")
        else:  # the vector's own length does not change the order
            near = codebook @ (F.normalize(z, dim=1) if by == "cosine" else z).T
    return near.argmax(1) if n == 1 else near.topk(n).indices.flatten()


def reconstruction(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """L_reconstruction alone: ‖x_i − D(E(x_i))‖² (section 3.1)."""
    return {"reconstruction": squared_distance(model.decode(model.encode(batch.x)), batch.x)}, None


# fmt: off
def pull(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, Matches | None]:
    """Section 3.1: each vector pulls the nearest of M images towards it, and follows it.

    Returns:
        ``reconstruction`` ‖x − D(E(x))‖², the terms of :func:`pull_terms` and :func:`remedies`, and
        ``center_reconstruction`` ‖x_j* − D(v)‖², if it is trained (λ2 > 0) or n is at most the size of the batch.
    """
    star, k = nearest_images(model, batch, recipe)                                          # (n, C, H, W), (n,)
    z, z_star = model.encode(torch.cat([batch.x, star])).split([len(batch.x), len(star)])   # (N, D), (n, D)
    v = model.vectors[k]                                                                    # (n, D)

    x_hat = model.decode(z)                                                                 # (N, C, H, W)
    terms = {"reconstruction": squared_distance(x_hat, batch.x)}
    terms |= pull_terms(z_star, v, z, batch, recipe)
    terms |= remedies(model, z, x_hat, batch, recipe)
    if recipe.center_reconstruction_weight or len(star) <= batch.size:
        terms["center_reconstruction"] = center_reconstruction(model, star, z_star, v, recipe)
    if not follows_latents(recipe):
        return terms, None
    return terms, Matches(z_star.detach(), k, z.detach(), nearest_vectors(z.detach(), model.vectors))


def assign(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, Matches | None]:
    """Sections 4.1–4.3: each latent, or each cell of a grid, is pulled towards its nearest vector, as in VQ-VAE.

    Returns:
        ``reconstruction`` ‖x − D(·)‖², the terms of :func:`pull_terms` and, if it is trained, ``center_reconstruction``
        ‖x − D(q)‖².
    """
    z = model.encode(batch.x)                                                               # (N, D) or (N, D, h, w)
    indices = nearest_vectors(z.movedim(1, -1), model.vectors)                              # (N,) or (N, h, w)
    q = model.vectors[indices].movedim(-1, 1)                                               # as z

    x_hat = model.decode(decoder_input(model, z, q, batch.step, recipe))                    # (N, C, H, W)
    terms = {"reconstruction": squared_distance(x_hat, batch.x)}
    terms |= pull_terms(z, q, z, batch, recipe)
    if recipe.center_reconstruction_weight:
        terms["center_reconstruction"] = center_reconstruction(model, batch.x, z, q, recipe)
    if not follows_latents(recipe):
        return terms, None
    latents = z.detach().movedim(1, -1).flatten(0, -2)                                      # (N·h·w, D)
    return terms, Matches(latents, indices.flatten(), latents, indices.flatten())


# fmt: on
@torch.no_grad()
def nearest_images(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Section 3.1: for each vector x_j*, the one of M images with the nearest latent, or a share of the nearest.

    Returns:
        Images (n, C, H, W), and the index of the vector of each (n,); n is K if each vector has one.
    """
    assert batch.x_pull is not None  # the trainer draws them for this objective
    latents = batch.ranks.gather(model.encode(batch.ranks.share(batch.x_pull)))  # (M, D)
    each = max(1, round(recipe.pull_share * len(latents)))
    k = torch.arange(len(model.vectors), device=latents.device).repeat_interleave(each)
    return batch.x_pull[nearest_latents(latents, model.vectors, recipe.nearest_by, each)], k


def pull_terms(z: Tensor, v: Tensor, latents: Tensor, batch: Batch, recipe: Recipe) -> Terms:
    """The pull ‖z − v‖² as two terms of equal value, one for the encoder's gradient and one for the vectors'.

    With equal weights, they give the paper's gradients. Vectors that follow by an average (``recipe.ema_rate``) have no
    second term. With ``recipe.pull_scale`` "variance" the pull is divided by the variance of all ``latents``, so that
    it does not get smaller when all latents shrink.
    """
    scale = 1.0
    if recipe.pull_scale == "variance":
        scale = len(latents) * latents.shape[1] / (latents.numel() * variance(latents.detach(), batch))
    terms = {"encoder_pull": squared_distance(z, v.detach()) * scale}
    if not recipe.ema_rate:
        terms["vector_pull"] = squared_distance(z.detach(), v) * scale
    return terms


def center_reconstruction(model: AEVQ, x: Tensor, z: Tensor, v: Tensor, recipe: Recipe) -> Tensor:
    """The optional term ‖x_j* − D(v)‖² of section 3.1; without a gradient if λ2 is 0.

    Vectors that follow by an average cannot learn from it, so the latents that they follow learn instead: v is then
    z + sg[v − z].
    """
    with torch.set_grad_enabled(torch.is_grad_enabled() and recipe.center_reconstruction_weight > 0):
        return squared_distance(model.decode(z + (v - z).detach() if recipe.ema_rate else v), x)


def decoder_input(model: AEVQ, z: Tensor, q: Tensor, step: int, recipe: Recipe) -> Tensor:
    """The decoder's input: the latents z or, if it receives codes, their codes q.

    Codes are blended in as z + s · sg[q − z], with s rising from 0 to 1 over ``recipe.feed_steps`` after the warm-up.
    s = 1 is the straight-through estimator: the value of q, the gradient of z.
    """
    if model.config.feed == "encoder":
        return z
    share = min(1.0, (step - recipe.warmup_steps + 1) / max(1, recipe.feed_steps))
    return StraightThrough.apply(z, q) if share == 1 else z + share * (q - z).detach()


class StraightThrough(torch.autograd.Function):
    """The value of q and the gradient of z, without the three passes over both that z + sg[q − z] takes."""

    @staticmethod
    def forward(ctx, z: Tensor, q: Tensor) -> Tensor:
        return q.detach().view_as(q)

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def follows_latents(recipe: Recipe) -> bool:
    """Whether vectors move by more than the gradient, which needs :class:`Matches`."""
    return bool(recipe.ema_rate or recipe.restart_steps)


ASSIGNMENT = {"vector-to-image": pull, "image-to-vector": assign}  # by recipe.ASSIGNMENTS


def zero(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """Section 3.2: every latent is pulled to the zero vector, by ``encoder_pull`` ‖E(x_i)‖²."""
    z = model.encode(batch.x)
    terms = {"reconstruction": squared_distance(model.decode(z), batch.x), "encoder_pull": z.square().sum(1).mean()}
    return terms, None


def vae(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """The VAE: the squared error of a reconstruction sampled from N(μ, σ²), and ``kl``, D_KL(N(μ, σ²) ‖ N(0, 1)).

    With ``recipe.decoder_variance`` "learned", ``kl`` is multiplied by twice the mean squared error of the batch. This
    is σ-VAE: the likelihood of a decoder whose variance is at its best value, the mean squared error.
    """
    mean, log_variance = model.encode_distribution(batch.x)
    assert log_variance is not None  # the model is variational
    noise = torch.randn((batch.size, *mean.shape[1:]), generator=batch.generator)  # for the whole batch
    noise = batch.ranks.share(noise).to(mean.device)
    z = mean + (log_variance / 2).exp() * noise  # reparameterisation
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    error = squared_distance(model.decode(z), batch.x)
    if recipe.decoder_variance == "learned":
        kl = kl * 2 * batch.ranks.mean(error.detach(), batch.weight) / batch.x[0].numel()
    return {"reconstruction": error, "kl": kl}, None


def classifier(model: AEVQ, batch: Batch, recipe: Recipe) -> tuple[Terms, None]:
    """Section 2.1: ``recipe.classifier_epochs`` of classification, then reconstruction with the encoder frozen.

    Returns:
        First ``classification``, the cross-entropy (of each attribute, if there are several) of all known labels; then
        ``reconstruction``, without a gradient to the encoder.
    """
    if batch.epoch >= recipe.classifier_epochs:
        with torch.no_grad():
            z = model.encode(batch.x)
        return {"reconstruction": squared_distance(model.decode(z), batch.x)}, None
    assert model.head is not None and batch.labels is not None  # configure() refuses other data
    logits = model.head(model.encode(batch.x)).float()
    count = batch.ranks.sum((batch.labels >= 0).sum()).clamp_min(1) * batch.weight  # not all parts have as many labels
    return {"classification": classification(logits, batch.labels, count)}, None


def classification(logits: Tensor, labels: Tensor, count: Tensor | None = None) -> Tensor:
    """Cross-entropy of logits (B, classes) with classes (B,) or attributes 0 and 1 (B, classes); −1 is ignored.

    It is the sum divided by ``count``, by default the number of known labels.
    """
    known = labels >= 0
    if labels.ndim == 1:
        loss = F.cross_entropy(logits[known], labels[known], reduction="sum")
    else:
        loss = F.binary_cross_entropy_with_logits(logits[known], labels[known].float(), reduction="sum")
    return loss / (known.sum().clamp_min(1) if count is None else count)


def pull_weights(recipe: Recipe, step: int) -> dict[str, float]:
    """The weights 1, λ1 and λ2 of section 3.1. λ1 and λ2 rise over ``recipe.ramp_steps`` after the warm-up."""
    done = min(1.0, (step - recipe.warmup_steps + 1) / max(1, recipe.ramp_steps))
    risen = RAMP_START ** (1 - done)
    return {
        "reconstruction": 1.0,
        "encoder_pull": risen * recipe.pull_weight,
        "vector_pull": risen * recipe.pull_weight,
        "center_reconstruction": risen * recipe.center_reconstruction_weight,
        "tail": risen * recipe.pull_weight,
        "decoder_gradient": recipe.gradient_weight,
        "decoder_decay": recipe.decay_weight,
    }


@dataclass(frozen=True)
class Objective:
    """An objective: its terms, their weights and its settings."""

    terms: Callable[[AEVQ, Batch, Recipe], tuple[Terms, Matches | None]]  # the terms, and the vectors' matches
    weights: Callable[[Recipe, int], dict[str, float]]  # a recipe and a step → the weight of each term
    settings: tuple[str, ...] = ()  # the settings it uses besides those of all objectives (recipes.COMMON)
    needs_pull_batch: Callable[[Recipe], bool] = lambda recipe: False  # whether it needs Batch.x_pull


OBJECTIVES = {
    "reconstruction": Objective(reconstruction, lambda r, step: {"reconstruction": 1.0}),
    "classifier": Objective(
        classifier, lambda r, step: {"classification": 1.0, "reconstruction": 1.0}, ("classifier_epochs",)
    ),
    "pull": Objective(
        lambda model, batch, recipe: ASSIGNMENT[recipe.assignment](model, batch, recipe),
        pull_weights,
        ("num_codes", "pull_weight", "center_reconstruction_weight", "assignment", "pull_scale", "pull_batch_size",
         "nearest_by", "pull_share", "tail_cap", "gradient_weight", "decay_weight", "ema_rate", "warmup_steps",
         "ramp_steps", "feed_steps", "initialisation", "refit_epochs", "restart_steps", "restart_share",
         "prior_epochs"),
        needs_pull_batch=lambda r: r.assignment == "vector-to-image",
    ),
    "zero": Objective(zero, lambda r, step: {"reconstruction": 1.0, "encoder_pull": r.pull_weight}, ("pull_weight",)),
    "vae": Objective(
        vae, lambda r, step: {"reconstruction": 1.0, "kl": r.kl_weight}, ("kl_weight", "decoder_variance")
    ),
}  # fmt: skip


def total(terms: Terms, weights: dict[str, float]) -> Tensor:
    """L_total: the weighted sum. A term of weight 0 is only measured and has no gradient."""
    return torch.as_tensor(sum(weights[name] * term for name, term in terms.items() if weights[name]))
