"""How the vectors move besides the gradient: warm-up, k-means, moving average, restarts of unused vectors."""

import torch
from torch import Tensor

from aevq_hub import AEVQ

from . import metrics
from .objectives import Matches
from .ranks import SINGLE, Ranks
from .recipe import Recipe

K_MEANS_LATENTS = 20_000


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
        self.k_means_steps = {self.recipe.warmup_steps, first_step if refits else self.recipe.warmup_steps}
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
        """Place the vectors by k-means if this is due at this step.

        Raises:
            ValueError: there are fewer latents than vectors.
        """
        if self.codebook is None or self.recipe.initialisation != "k-means" or step not in self.k_means_steps:
            return
        cells = max(1, self.model.config.grid_size) ** 2
        chosen = torch.randperm(len(images), generator=generator)[: -(-K_MEANS_LATENTS // cells)]
        k_means(self.model, images[self.ranks.share(chosen)], self.recipe.seed, self.ranks)
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
def k_means(model: AEVQ, images: Tensor, seed: int, ranks: Ranks = SINGLE) -> None:
    """Move the vectors onto the centres of clusters of the latents of uint8 images (scikit-learn's k-means).

    The images (n, C, H, W) are this process's share of all.

    Raises:
        ValueError: fewer latents than vectors.
    """
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import and is rarely needed

    codebook, device = model.vectors, model.vectors.device
    z = torch.cat([model.encode(x.to(device)).movedim(1, -1).flatten(0, -2) for x in metrics.batches(images)])
    z = ranks.gather(z)  # (n, D)
    if len(z) < len(codebook):
        raise ValueError(f"k-means of {len(codebook)} vectors needs as many latents; the data gives {len(z)}")
    means = MiniBatchKMeans(len(codebook), random_state=seed, batch_size=4096, max_iter=30)
    centres = means.fit(z[:K_MEANS_LATENTS].cpu().numpy()).cluster_centers_
    codebook.copy_(torch.from_numpy(centres))
    ranks.align([codebook])
