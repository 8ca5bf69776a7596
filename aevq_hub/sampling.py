"""Distributions of the training latents, fitted once and stored with the model, to sample new latents from."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

COMPONENTS = 10  # components of the Gaussian mixture


class Sampler(nn.Module):
    """A distribution of latents. ``fitted`` is 0 until it has been fitted."""

    name: str  # for the model card
    fitted: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("fitted", torch.zeros(()))

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator, codebook: Tensor | None) -> Tensor:
        """Sample n latents (n, D) or (n, D, h, w)."""

    @abstractmethod
    def moments(self, codebook: Tensor | None) -> tuple[Tensor, Tensor]:
        """The mean (D,) and covariance (D, D), float64, of the training latents; for a grid, of the codes of all cells.

        The mixture's moments are those of the latents it was fitted to, but for a floor: no standard deviation is below
        1 % of the root mean squared one.
        """


class GaussianMixture(Sampler):
    """A mixture of ten Gaussians with full covariances, fitted with scikit-learn (``training.fit_sampler``)."""

    name = "a mixture of ten Gaussians fitted to the training latents"
    weight: Tensor  # the probability of each component (10,)
    mean: Tensor  # (10, D)
    scale: Tensor  # the rows of the covariances' lower Cholesky factors (10, D (D + 1) / 2)

    def __init__(self, dim: int):
        super().__init__()
        self.register_buffer("weight", torch.zeros(COMPONENTS))
        self.register_buffer("mean", torch.zeros(COMPONENTS, dim))
        self.register_buffer("scale", torch.zeros(COMPONENTS, dim * (dim + 1) // 2))

    def sample(self, n: int, generator: torch.Generator, codebook: Tensor | None) -> Tensor:
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
        apart = (means - mean) * weight.sqrt()[:, None]  # (10, D)
        factors = factors * weight.sqrt()[:, None, None]
        return mean, (factors @ factors.mT).sum(0) + apart.T @ apart

    def distance(self, z: Tensor) -> Tensor:
        """The distance of latents (n, D) from the training latents (n,): the Mahalanobis distance to the nearest
        component, divided by √D. It is about 1 for the training latents themselves."""
        used = self.weight > 0  # a mixture fitted to few images has fewer than ten components
        apart = (z - self.mean[used, None]).transpose(1, 2)  # (10, D, n)
        standardised = torch.linalg.solve_triangular(self._factors()[used], apart, upper=False)
        return standardised.norm(dim=1).amin(0) / z.shape[1] ** 0.5

    def _factors(self) -> Tensor:
        """The covariances' lower Cholesky factors (10, D, D)."""
        dim, device = self.mean.shape[1], self.mean.device
        factors = torch.zeros(COMPONENTS, dim, dim, device=device)
        rows, columns = torch.tril_indices(dim, dim, device=device)
        factors[:, rows, columns] = self.scale
        return factors


class IndependentCells(Sampler):
    """The code of each cell is sampled independently of the other cells.

    It knows where codes occur in the training images, but not which ones occur together.
    """

    name = "the frequencies of the codes in each cell, independently of the other cells"
    probability: Tensor  # of each code in each cell (h, w, K)

    def __init__(self, side: int, num_codes: int):
        super().__init__()
        self.register_buffer("probability", torch.zeros(side, side, num_codes))

    def sample(self, n: int, generator: torch.Generator, codebook: Tensor | None) -> Tensor:
        assert codebook is not None  # models with this sampler have vectors
        side, _, size = self.probability.shape
        cells = self.probability.view(-1, size).cpu()  # (h·w, K)
        indices = torch.multinomial(cells, n, replacement=True, generator=generator).T.reshape(n, side, side)
        return codebook[indices.to(codebook.device)].movedim(-1, 1)  # (n, D, h, w)

    def moments(self, codebook: Tensor | None) -> tuple[Tensor, Tensor]:
        assert codebook is not None
        share, codes = self.probability.mean((0, 1)).cpu().double(), codebook.detach().cpu().double()  # (K,), (K, D)
        mean = share @ codes
        apart = (codes - mean) * share.sqrt()[:, None]
        return mean, apart.T @ apart


def sampler_of(config) -> Sampler:
    """An unfitted sampler of the kind that a configuration needs."""
    if config.grid_size and config.num_codes:
        return IndependentCells(config.grid_size, config.num_codes)
    return GaussianMixture(config.latent_dim)
