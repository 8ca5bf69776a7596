"""How the vectors move besides the gradient: warm-up, k-means, moving average, restarts of unused vectors."""

import torch
from torch import Tensor

from aevq_hub import AEVQ

from . import metrics
from .ranks import SINGLE, Ranks
from .recipe import Recipe
from .step import Matches

PLACED_BY = 20_000  # latents among which vectors are placed


class Vectors:
    """The vectors' timetable, the same in all processes. Every method does nothing for a model without vectors.

    Attributes:
        counts: for each vector (K,) the number of latents nearest to it since the last restart.
        steps: the number of steps since then (1,).
    """

    def __init__(self, model: AEVQ, recipe: Recipe, ranks: Ranks = SINGLE):
        self.model, self.codebook, self.recipe, self.ranks = model, model.codebook, recipe, ranks
        self._start_counting()

    def _start_counting(self) -> None:
        size, device = (0, None) if self.codebook is None else (len(self.codebook), self.codebook.device)
        self.counts = torch.zeros(size, dtype=torch.long, device=device)  # there, so that no step waits for a copy
        self.steps = torch.zeros(1, dtype=torch.long)

    def start_epoch(self, epoch: int, first_step: int) -> None:
        """Begin an epoch: movement is measured from here (figure 3.3), and a refit may be due."""
        refits = first_step > self.recipe.warmup_steps and epoch <= self.recipe.refit_epochs
        self.placing_steps = {self.recipe.warmup_steps, first_step if refits else self.recipe.warmup_steps}
        self._remember()

    def _remember(self) -> None:
        self.before = None if self.codebook is None else self.codebook.detach().clone()  # (K, D)

    def movement(self, steps: int) -> float | None:
        """The mean distance that the vectors moved in this epoch (figure 3.3), or None if it ended in the warm-up.

        ``steps`` is the number of all steps so far.
        """
        if self.codebook is None or self.before is None or steps <= self.recipe.warmup_steps:
            return None
        return metrics.mean_distance(self.codebook.detach(), self.before)

    def before_step(self, step: int, images: Tensor, generator: torch.Generator) -> None:
        """Place the vectors among the latents if this is due at this step.

        Raises:
            ValueError: there are fewer latents than vectors, for k-means.
        """
        if self.codebook is None or self.recipe.initialisation == "random" or step not in self.placing_steps:
            return
        cells = max(1, self.model.config.grid_size) ** 2
        chosen = torch.randperm(len(images), generator=generator)[: -(-PLACED_BY // cells)]
        z = _latents(self.model, images[self.ranks.share(chosen)], self.ranks)
        if self.recipe.initialisation == "scaled":
            scale(self.model.vectors, z)
        else:
            k_means(self.model.vectors, z, self.recipe.seed)
        self.ranks.align([self.model.vectors])
        self._start_counting()
        self._remember()  # this does not count as movement

    @torch.no_grad()
    def after_step(self, matches: Matches | None, generator: torch.Generator) -> None:
        """Move the vectors towards the latents they were matched with, and restart unused ones when this is due."""
        if matches is None:
            return
        if self.recipe.ema_rate:
            follow(self.model.vectors, matches, self.recipe.ema_rate, self.ranks)
        if self.recipe.restart_steps:
            self.counts += self.ranks.sum(matches.nearest.bincount(minlength=len(self.counts)))
            self.steps += 1
            if self.steps >= self.recipe.restart_steps:
                self._restart(matches, generator)

    def _restart(self, matches: Matches, generator: torch.Generator) -> None:
        """Move each unused vector onto a different latent; if there are too few latents, some vectors stay.

        A latent is chosen with a probability proportional to its squared distance to the nearest vector.
        """
        codebook, counts = self.model.vectors, self.counts.cpu()
        equal_share = counts.sum() / len(counts)
        latents, nearest = self.ranks.gather(matches.latents), self.ranks.gather(matches.nearest)
        unused = (counts <= self.recipe.restart_share * equal_share).nonzero()[: len(latents), 0]
        if len(unused):
            finite = latents.isfinite().all(1).cpu()  # some are not if training diverges
            distance = (latents - codebook[nearest]).square().sum(1).cpu().clamp_max(1e30)  # (m,)
            distance = distance.where(finite, 0)
            distance = (distance + 1e-6 * distance.mean() + 1e-12).where(finite, 0)
            unused = unused[: finite.sum()]
            chosen = torch.multinomial(distance, len(unused), generator=generator) if len(unused) else unused
            codebook[unused.to(codebook.device)] = latents[chosen.to(latents.device)].to(codebook.dtype)
        self.ranks.align([codebook])
        self._start_counting()


def follow(codebook: Tensor, matches: Matches, rate: float, ranks: Ranks = SINGLE) -> None:
    """Section 4.1, in place: e_k ← e_k + α (z_q − e_k), where z_q is the mean of the latents matched with e_k."""
    counts = ranks.sum(matches.indices.bincount(minlength=len(codebook))).unsqueeze(1)  # (K, 1)
    sums = ranks.sum(torch.zeros_like(codebook).index_add_(0, matches.indices, matches.z.to(codebook.dtype)))
    codebook += torch.where(counts > 0, rate * (sums / counts.clamp_min(1) - codebook), 0.0)


@torch.no_grad()
def _latents(model: AEVQ, images: Tensor, ranks: Ranks) -> Tensor:
    """All latents, or cells of grids (n, D), of uint8 images (N, C, H, W) of which this process has a share."""
    device = model.vectors.device
    z = torch.cat([model.encode(x.to(device)).movedim(1, -1).flatten(0, -2) for x in metrics.batches(images)])
    return ranks.gather(z)[:PLACED_BY]


@torch.no_grad()
def scale(codebook: Tensor, z: Tensor) -> None:
    """Move random vectors (K, D) between −1 and 1 to the mean and the standard deviation of latents z (n, D)."""
    codebook.mul_(3**0.5 * z.std(0, correction=0)).add_(z.mean(0))  # the deviation of U(−1, 1) is 1 / √3


def k_means(codebook: Tensor, z: Tensor, seed: int) -> None:
    """Move the vectors (K, D) onto the centres of clusters of latents z (n, D), by scikit-learn's k-means.

    Raises:
        ValueError: fewer latents than vectors.
    """
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import and is rarely needed

    if len(z) < len(codebook):
        raise ValueError(f"k-means of {len(codebook)} vectors needs as many latents; the data gives {len(z)}")
    means = MiniBatchKMeans(len(codebook), random_state=seed, batch_size=4096, max_iter=30)
    with torch.no_grad():
        codebook.copy_(torch.from_numpy(means.fit(z.cpu().numpy()).cluster_centers_))
