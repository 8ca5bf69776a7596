"""Distributions of the training latents, fitted once and stored with the model, to sample new latents from."""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from .prior import Prior, schedule

AT_ONCE = 250  # grids whose cells are drawn at once: small enough for the processor's caches
RAREST = 1e-8  # the least probability of a code in a cell, so that none is impossible


class Sampler(nn.Module):
    """A distribution of latents. ``fitted`` is 0 until it has been fitted."""

    name: str  # for the model card
    fitted: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("fitted", torch.zeros(()))

    @abstractmethod
    def moments(self, codebook: Tensor | None) -> tuple[Tensor, Tensor]:
        """The mean (D,) and covariance (D, D), float64, of the training latents; for a grid, of the codes of all cells.

        The mixture's moments are those of the latents it was fitted to, but for a floor: no standard deviation is below
        1 % of the root mean squared one.
        """


class GaussianMixture(Sampler):
    """A mixture of K Gaussians with full covariances, fitted with scikit-learn (``training.fit_sampler``)."""

    weight: Tensor  # the probability of each component (K,)
    mean: Tensor  # (K, D)
    scale: Tensor  # the rows of the covariances' lower Cholesky factors (K, D (D + 1) / 2)

    def __init__(self, dim: int, components: int):
        super().__init__()
        self.name = f"a mixture of {components} Gaussians fitted to the training latents"
        self.register_buffer("weight", torch.zeros(components))
        self.register_buffer("mean", torch.zeros(components, dim))
        self.register_buffer("scale", torch.zeros(components, dim * (dim + 1) // 2))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Sample n latents (n, D)."""
        dim, device = self.mean.shape[1], self.mean.device
        component = torch.multinomial(self.weight.cpu(), n, replacement=True, generator=generator).to(device)
        noise = torch.randn(n, dim, 1, generator=generator).to(device)
        factors = self._factors()
        z = torch.empty(n, dim, device=device)
        for k in component.unique():  # one component at a time: n × D × D values may not fit in memory
            chosen = component == k
            z[chosen] = self.mean[k] + (factors[k] @ noise[chosen]).squeeze(-1)
        return z  # (n, D)

    def moments(self, codebook: Tensor | None) -> tuple[Tensor, Tensor]:
        weight, means, factors = (x.cpu().double() for x in (self.weight, self.mean, self._factors()))
        mean = weight @ means  # (D,)
        apart = (means - mean) * weight.sqrt()[:, None]  # (K, D)
        factors = factors * weight.sqrt()[:, None, None]
        return mean, (factors @ factors.mT).sum(0) + apart.T @ apart

    def distance(self, z: Tensor) -> Tensor:
        """The distance of latents (n, D) from the training latents (n,): the Mahalanobis distance to the nearest
        component, divided by √D. It is about 1 for the training latents themselves."""
        used = self.weight > 0  # a mixture fitted to few images has fewer components
        apart = (z - self.mean[used, None]).transpose(1, 2)  # (K, D, n)
        standardised = torch.linalg.solve_triangular(self._factors()[used], apart, upper=False)
        return standardised.norm(dim=1).amin(0) / z.shape[1] ** 0.5

    def _factors(self) -> Tensor:
        """The covariances' lower Cholesky factors (K, D, D)."""
        (components, dim), device = self.mean.shape, self.mean.device
        factors = torch.zeros(components, dim, dim, device=device)
        rows, columns = torch.tril_indices(dim, dim, device=device)
        factors[:, rows, columns] = self.scale
        return factors


class IndependentCells(Sampler):
    """The code of each cell is sampled independently of the other cells.

    It knows where codes occur in the training images, but not which ones occur together.
    """

    name = "the frequencies of the codes in each cell, independently of the other cells"
    probability: Tensor  # of each code in each cell (h, w, K)
    dependent = False  # whether a cell's distribution depends on the others, so that the order of drawing matters

    def __init__(self, side: int, num_codes: int):
        super().__init__()
        self.register_buffer("probability", torch.zeros(side, side, num_codes))

    def logits(self, indices: Tensor) -> Tensor:
        """The logits of the codes in each cell: (B, h, w) → (B, h, w, K). The index K means a hidden cell."""
        return self.probability.clamp_min(RAREST).log().expand(len(indices), -1, -1, -1)

    def independent(self) -> "IndependentCells":
        """The same frequencies without a prior."""
        side, _, size = self.probability.shape
        cells = IndependentCells(side, size)
        cells.probability = self.probability
        return cells

    def sample_indices(
        self, n: int, generator: torch.Generator, steps: int | None = None, temperature: float = 1.0
    ) -> Tensor:
        """Sample n whole grids (n, h, w); arguments as for :meth:`complete`."""
        nothing = torch.zeros(n, *self.probability.shape[:2], dtype=torch.long, device=self.probability.device)
        return self.complete(nothing, nothing.bool(), generator, steps, temperature)

    def complete(
        self, indices: Tensor, keep: Tensor, generator: torch.Generator, steps: int | None = None,
        temperature: float = 1.0,
    ) -> Tensor:  # fmt: skip
        """Keep some cells of grids and sample the others, in a random order.

        Args:
            indices: grids (B, h, w).
            keep: which cells to keep, bool (B, h, w).
            generator: the source of random numbers, on the CPU.
            steps: in how many steps the cells are drawn; those of one step are independent of each other. By default
                half as many as cells to draw.
            temperature: divides the logits.
        """
        size = self.probability.shape[2]
        x, free = indices.masked_fill(~keep, size), ~keep
        turn = _turns(free.cpu(), generator).to(x.device)  # (B, h, w)
        most = int(free.flatten(1).sum(1).max()) if len(x) else 0
        if not self.dependent:
            steps = 1
        begin = 0
        for count in schedule(most, -(-most // 2) if steps is None else steps):
            now = free & (begin <= turn) & (turn < begin + count)
            parts = zip(x.split(AT_ONCE), now.split(AT_ONCE), strict=True)
            each = [(self.logits(part)[drawn] / temperature).softmax(1) for part, drawn in parts]
            probability = torch.cat(each)  # (P, K)
            x[now] = probability.cpu().multinomial(1, generator=generator)[:, 0].to(x.device)
            begin += count
        return x

    def likelihood(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        """−log2 of the probability of grids (B, h, w), cell after cell in a random order: bits (B,)."""
        size = self.probability.shape[2]
        turn = _turns(torch.ones(indices.shape, dtype=torch.bool), generator).to(indices.device)
        bits = torch.zeros(len(indices), device=indices.device)
        for step in range(self.probability[..., 0].numel()):
            visible = indices.masked_fill(turn >= step, size)
            bits += _bits(self.logits(visible), indices)[turn == step]
        return bits

    def surprise(self, indices: Tensor) -> Tensor:
        """−log2 of the probability of each cell of grids (B, h, w), given all the others: bits (B, h, w)."""
        cells = self.probability[..., 0].numel()
        hide = torch.eye(cells, dtype=torch.bool, device=indices.device).view(cells, *self.probability.shape[:2])
        bits = torch.empty(indices.shape, device=indices.device)
        for i, grid in enumerate(indices):
            logits = self.logits(grid.masked_fill(hide, self.probability.shape[2]))  # (h·w, h, w, K)
            bits[i] = _bits(logits, grid.expand_as(hide))[hide].view(grid.shape)
        return bits

    def moments(self, codebook: Tensor | None) -> tuple[Tensor, Tensor]:
        assert codebook is not None
        share, codes = self.probability.mean((0, 1)).cpu().double(), codebook.detach().cpu().double()  # (K,), (K, D)
        mean = share @ codes
        apart = (codes - mean) * share.sqrt()[:, None]
        return mean, apart.T @ apart


class GridPrior(IndependentCells):
    """Each cell is sampled given the cells that are already there, by a network (:mod:`prior`)."""

    name = "a network that predicts the codes of hidden cells from the visible ones, a few at a time in a random order"
    dependent = True

    def __init__(self, side: int, num_codes: int, width: int, blocks: int, dilation: int = 1):
        super().__init__(side, num_codes)
        self.network = Prior(side, num_codes, width, blocks, dilation)

    def logits(self, indices: Tensor) -> Tensor:
        """As :meth:`IndependentCells.logits`, with what the network adds to the frequencies."""
        return super().logits(indices) + self.network(indices)


def _turns(free: Tensor, generator: torch.Generator) -> Tensor:
    """When each free cell (B, h, w) is drawn, from 0, in a random order; kept cells come last."""
    order = torch.rand(free.shape, generator=generator).masked_fill(~free, 2)
    return order.flatten(1).argsort(1).argsort(1).view(free.shape)


def _bits(logits: Tensor, indices: Tensor) -> Tensor:
    """−log2 of the probability of each cell's code: (B, h, w, K), (B, h, w) → (B, h, w)."""
    return -logits.log_softmax(-1).gather(-1, indices[..., None])[..., 0] / math.log(2)


def sampler_of(config) -> Sampler:
    """An unfitted sampler of the kind that a configuration needs."""
    if not (config.grid_size and config.num_codes):
        return GaussianMixture(config.latent_dim, config.components)
    if not config.prior_blocks:
        return IndependentCells(config.grid_size, config.num_codes)
    shape = config.prior_width, config.prior_blocks, config.prior_dilation
    return GridPrior(config.grid_size, config.num_codes, *shape)
