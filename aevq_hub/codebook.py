"""Nearest vectors, and how well a codebook is used over a whole data set."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

IN_USE = 0.0005  # a vector is in use from this fraction of the latents on: 5 of 10,000
DUPLICATE = 0.05  # two vectors are duplicates up to this distance, as a fraction of the latents' spread


@torch.no_grad()
def nearest_vectors(z: Tensor, codebook: Tensor) -> Tensor:
    """The index of the nearest vector for each latent, by one matrix product: (..., D), (K, D) → (...).

    Nearest by Euclidean distance, in training and in loaded models. It is computed in float32, even under autocast.
    """
    with torch.autocast(z.device.type, enabled=False):
        center = codebook.float().mean(0)  # (D,)
        apart = codebook.float() - center  # centred, to lose less precision (K, D)
        # ‖z − e‖² = ‖z − c‖² + ‖e − c‖² − 2 (z − c)·(e − c), and ‖z − c‖² does not affect which is nearest
        constant = apart.square().sum(1) + 2 * (apart @ center)  # (K,)
        scores = torch.addmm(constant, z.reshape(-1, z.shape[-1]).float(), apart.T, alpha=-2)  # (B, K)
        return scores.argmin(1).view(z.shape[:-1])


def distances(codebook: Tensor) -> Tensor:
    """The Euclidean distances between vectors, infinite from each to itself: (K, D) → (K, K)."""
    # by differences: a matrix product could not tell vectors that are close together from equal ones
    apart = torch.cdist(codebook.float(), codebook.float(), compute_mode="donot_use_mm_for_euclid_dist")
    return apart.fill_diagonal_(float("inf"))


@dataclass(frozen=True)
class Health:
    """How a codebook of K vectors is used by the latents of a data set.

    ``duplicates`` are the vectors that have "converged to the same location" (section 3.2).
    """

    share: Tensor  # (K,) the fraction of the latents nearest to each vector
    nearest_distance: Tensor  # (K,) the Euclidean distance to the nearest other vector; infinite for K = 1
    spread: float  # the root mean squared distance of the latents to their mean
    duplicates: list[int]  # indices of the vectors with another vector within DUPLICATE times the spread

    @property
    def in_use(self) -> list[int]:
        """The vectors that are nearest to at least 5 of 10,000 latents, by index."""
        return (self.share >= IN_USE).nonzero()[:, 0].tolist()

    @property
    def dead(self) -> list[int]:
        """The vectors that are nearest to no latent, by index."""
        return (self.share == 0).nonzero()[:, 0].tolist()

    @property
    def perplexity(self) -> float:
        """The exponential of the entropy of the shares: K if all vectors are used equally, 1 if only one is used."""
        return torch.special.entr(self.share).sum().exp().item()

    def summary(self) -> dict[str, float | int]:
        """The numbers for a record: vectors, in_use, dead, duplicates, perplexity, largest_share, nearest_distance.

        ``nearest_distance`` is the median over the vectors, relative to the latents' spread.
        """
        numbers = {"vectors": len(self.share), "in_use": len(self.in_use), "dead": len(self.dead)}
        numbers |= {"duplicates": len(self.duplicates), "perplexity": self.perplexity}
        numbers["largest_share"] = self.share.max().item()
        if len(self.share) > 1 and self.spread:  # else nothing to compare, or all latents in one place
            numbers["nearest_distance"] = self.nearest_distance.median().item() / self.spread
        return numbers

    def record(self) -> dict:
        """What a history stores: the summary, the ``share`` of each vector to five decimals, ``duplicate_indices``."""
        share = [round(share, 5) for share in self.share.tolist()]
        return {**self.summary(), "share": share, "duplicate_indices": self.duplicates}


@torch.no_grad()
def health(codebook: Tensor, latents: Iterable[Tensor], *, duplicate: float = DUPLICATE) -> Health:
    """Measure a codebook over the latents of a whole data set.

    Args:
        codebook: vectors (K, D).
        latents: batches of latents (B, D) or of grids (B, D, h, w), of which every cell counts.
        duplicate: two vectors count as duplicates up to this fraction of the latents' spread.

    Raises:
        ValueError: there are no latents.
    """
    usage = Usage(codebook)
    for z in latents:
        usage.add(z, nearest_vectors(z.movedim(1, -1), codebook))
    return usage.health(duplicate)


class Usage:
    """Counts how the vectors of a codebook (K, D) are used, batch by batch."""

    def __init__(self, codebook: Tensor):
        self.codebook, (size, dim) = codebook, codebook.shape
        self.counts, self.total = torch.zeros(size, dtype=torch.double), 0
        self.first, self.second = torch.zeros(dim, dtype=torch.double), 0.0  # sums of the latents and of their squares

    def add(self, z: Tensor, indices: Tensor) -> None:
        """Count latents (B, D) or grids (B, D, h, w) and the indices of their nearest vectors, (B,) or (B, h, w)."""
        self.counts += indices.flatten().bincount(minlength=len(self.codebook)).cpu()
        cells = z.movedim(1, -1).flatten(0, -2).cpu().double()  # not every device has this type
        self.total += len(cells)
        self.first += cells.sum(0)
        self.second += cells.square().sum().item()

    def health(self, duplicate: float = DUPLICATE) -> Health:
        """The health so far; errors and ``duplicate`` as for :func:`health`."""
        if not self.total:
            raise ValueError("a codebook's health needs latents; there are none")
        spread = max(self.second / self.total - (self.first / self.total).square().sum().item(), 0.0) ** 0.5
        nearest_distance = distances(self.codebook).amin(1).cpu()  # (K,)
        duplicates = (nearest_distance <= duplicate * spread).nonzero()[:, 0].tolist()
        return Health(self.counts / self.total, nearest_distance, spread, duplicates)
