"""What moves the vectors besides the gradient: a start from data, an exponential average, a restart of unused ones."""

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.registry import Recipe

from .objectives import Matches

K_MEANS_LATENTS = 20_000


class VectorUpdates:
    """The named remedies of a recipe against collapse, applied after each step of one epoch.

    Args:
        model: with a codebook, or without: then nothing is done.
        recipe: ``initialisation``, ``ema_rate`` and ``restart_steps``.
        generator: for the choice of latents.
    """

    def __init__(self, model: AEVQ, recipe: Recipe, generator: torch.Generator):
        self.codebook, self.recipe, self.generator = model.codebook, recipe, generator
        self.steps = 0
        self.counts = None if self.codebook is None else torch.zeros(len(self.codebook), dtype=torch.long)

    @torch.no_grad()
    def after_step(self, matches: Matches | None) -> None:
        """Move the vectors by what a step's latents were matched with."""
        if matches is None:
            return
        if self.recipe.ema_rate:
            follow(self.codebook, matches, self.recipe.ema_rate)
        if self.recipe.restart_steps:
            self.counts += matches.indices.bincount(minlength=len(self.counts)).cpu()
            self.steps += 1
            if self.steps == self.recipe.restart_steps:
                unused = (self.counts == 0).nonzero()[:, 0]
                chosen = torch.randint(len(matches.z), (len(unused),), generator=self.generator)
                self.codebook[unused.to(self.codebook.device)] = matches.z[chosen.to(matches.z.device)]
                self.counts.zero_()
                self.steps = 0


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
        images: (N, C, H, W) in [0, 1], to take latents from.
        seed: of the k-means.

    Raises:
        ValueError: fewer latents than vectors.
    """
    from sklearn.cluster import MiniBatchKMeans  # a second to import, and seldom needed

    z = torch.cat([model.encode(x).movedim(1, -1).flatten(0, -2) for x in images.split(1000)])  # (n, D)
    if len(z) < len(model.codebook):
        raise ValueError(f"k-means of {len(model.codebook)} vectors needs as many latents; the data gives {len(z)}")
    means = MiniBatchKMeans(len(model.codebook), random_state=seed, batch_size=4096, n_init=1, max_iter=30)
    centres = means.fit(z[:K_MEANS_LATENTS].cpu().numpy()).cluster_centers_
    model.codebook.copy_(torch.from_numpy(centres))
