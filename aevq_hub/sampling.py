"""New latents like those of the training images: distributions that are fitted once and stored with the model."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

COMPONENTS = 10  # of the Gaussian mixture


class Sampler(nn.Module):
    """A distribution of latents. ``fitted`` is 0 until it was fitted to a model's training latents."""

    name: str  # what a card calls it
    fitted: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("fitted", torch.zeros(()))

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator, codebook: Tensor | None) -> Tensor:
        """n latents (n, D) or (n, D, h, w)."""

    @abstractmethod
    def standard_deviation(self, codebook: Tensor | None) -> Tensor:
        """Of the training latents, per dimension (D,); of a grid's codes, over all cells."""


class GaussianMixture(Sampler):
    """A mixture of ten Gaussians with full covariances (``training.release`` fits it with scikit-learn).

    Attributes:
        weight: (10,) probability of each component.
        mean: (10, D).
        scale: (10, D (D + 1) / 2) the rows of the covariances' lower Cholesky factors.
    """

    name = "a mixture of ten Gaussians fitted to the training latents"
    weight: Tensor
    mean: Tensor
    scale: Tensor

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
        for k in component.unique():  # one factor at a time: n × D × D would not fit for many
            chosen = component == k
            z[chosen] = self.mean[k] + (factors[k] @ noise[chosen]).squeeze(-1)
        return z  # (n, D)

    def standard_deviation(self, codebook: Tensor | None) -> Tensor:
        weight, variance = self.weight[:, None], self._factors().square().sum(2)  # (10, 1), (10, D)
        mean = (weight * self.mean).sum(0)
        return (weight * (variance + (self.mean - mean).square())).sum(0).sqrt()  # (D,)

    def distance(self, z: Tensor) -> Tensor:
        """How far latents (n, D) are from the training latents (n,): the Mahalanobis distance to the nearest of the
        mixture's components, divided by √D, so that the training latents themselves are at about 1."""
        used = self.weight > 0  # of few images there are fewer than ten
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
    """Each cell of the grid draws its code by itself, as often as the training images had it there.

    A first version: it knows where codes occur, but not which go together.

    Attributes:
        probability: (h, w, K).
    """

    name = "a code for each cell on its own, as often as the training images have it there"
    probability: Tensor

    def __init__(self, side: int, num_codes: int):
        super().__init__()
        self.register_buffer("probability", torch.zeros(side, side, num_codes))

    def sample(self, n: int, generator: torch.Generator, codebook: Tensor | None) -> Tensor:
        assert codebook is not None  # a grid's codes are of one
        side, _, size = self.probability.shape
        cells = self.probability.view(-1, size).cpu()  # (h·w, K)
        indices = torch.multinomial(cells, n, replacement=True, generator=generator).T.reshape(n, side, side)
        return codebook[indices.to(codebook.device)].movedim(-1, 1)  # (n, D, h, w)

    def standard_deviation(self, codebook: Tensor | None) -> Tensor:
        assert codebook is not None
        share = self.probability.mean((0, 1))  # (K,)
        return (share @ (codebook - share @ codebook).square()).sqrt()  # (D,)


def sampler_of(config) -> Sampler:
    """The unfitted sampler that a configuration asks for."""
    if config.grid_size and config.num_codes:
        return IndependentCells(config.grid_size, config.num_codes)
    return GaussianMixture(config.latent_dim)
