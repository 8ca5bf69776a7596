"""What moves the vectors besides the gradient: a start from data, an exponential average, a restart of unused ones."""

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.recipe import Recipe

from .metrics import batches
from .objectives import Matches

K_MEANS_LATENTS = 20_000


class VectorUpdates:
    """The remedies of a recipe against collapse that act after each step.

    Args:
        model: with a codebook, or without: then nothing is done.
        recipe: ``ema_rate``, ``restart_steps`` and ``restart_share``.

    Attributes:
        counts: (K,) latents that had each vector for their nearest since the last restart.
        steps: (1,) steps since then.
    """

    def __init__(self, model: AEVQ, recipe: Recipe):
        self.codebook, self.recipe = model.codebook, recipe
        self.start_counting()

    def start_counting(self) -> None:
        """Forget how often each vector was used: they are others now."""
        self.counts = torch.zeros(0 if self.codebook is None else len(self.codebook), dtype=torch.long)
        self.steps = torch.zeros(1, dtype=torch.long)

    @torch.no_grad()
    def after_step(self, matches: Matches | None, generator: torch.Generator) -> None:
        """Move the vectors by what a step's latents were matched with; ``generator`` chooses latents for a restart."""
        if matches is None:
            return
        if self.recipe.ema_rate:
            follow(self.codebook, matches, self.recipe.ema_rate)
        if self.recipe.restart_steps:
            self.counts += matches.nearest.bincount(minlength=len(self.counts)).cpu()
            self.steps += 1
            if self.steps >= self.recipe.restart_steps:
                self._restart(matches, generator)

    def _restart(self, matches: Matches, generator: torch.Generator) -> None:
        """Put each unused vector on a latent of its own; where there are too few latents, some wait.

        Latents are drawn with probabilities as their squared distances to the nearest vector: where one is missed.
        """
        latents, alike = matches.latents, self.counts.sum() / len(self.counts)
        unused = (self.counts <= self.recipe.restart_share * alike).nonzero()[: len(latents), 0]
        if len(unused):
            finite = latents.isfinite().all(1).cpu()  # of a training that diverges some are not
            missed = (latents - self.codebook[matches.nearest]).square().sum(1).cpu().clamp_max(1e30)  # (m,)
            missed = missed.where(finite, 0)
            missed = (missed + 1e-6 * missed.mean() + 1e-12).where(finite, 0)
            unused = unused[: finite.sum()]
            chosen = torch.multinomial(missed, len(unused), generator=generator) if len(unused) else unused
            self.codebook[unused.to(self.codebook.device)] = latents[chosen.to(latents.device)].to(self.codebook.dtype)
        self.start_counting()


def follow(codebook: Tensor, matches: Matches, rate: float) -> None:
    """e_k ← e_k + α (z_q − e_k), z_q the mean of the latents that went with e_k (section 4.1); in place."""
    counts = matches.indices.bincount(minlength=len(codebook)).unsqueeze(1)  # (K, 1)
    sums = torch.zeros_like(codebook).index_add_(0, matches.indices, matches.z.to(codebook.dtype))
    codebook += torch.where(counts > 0, rate * (sums / counts.clamp_min(1) - codebook), 0.0)


@torch.no_grad()
def k_means(model: AEVQ, images: Tensor, seed: int) -> None:
    """Put the vectors on the centres of the clusters of latents (k-means of scikit-learn).

    Args:
        model: with a codebook (K, D), which is overwritten.
        images: uint8 (N, C, H, W), to take latents from.
        seed: of the k-means.

    Raises:
        ValueError: fewer latents than vectors.
    """
    from sklearn.cluster import MiniBatchKMeans  # a second to import, and seldom needed

    device = model.codebook.device
    z = torch.cat([model.encode(x.to(device)).movedim(1, -1).flatten(0, -2) for x in batches(images)])  # (n, D)
    if len(z) < len(model.codebook):
        raise ValueError(f"k-means of {len(model.codebook)} vectors needs as many latents; the data gives {len(z)}")
    means = MiniBatchKMeans(len(model.codebook), random_state=seed, batch_size=4096, n_init=1, max_iter=30)
    centres = means.fit(z[:K_MEANS_LATENTS].cpu().numpy()).cluster_centers_
    model.codebook.copy_(torch.from_numpy(centres))
