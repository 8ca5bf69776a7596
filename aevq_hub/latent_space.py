"""The latent space of a model, as its training latents fill it: their spread, and steps along which to move."""

from collections.abc import Iterable

import torch

from .checks import one_of, whole
from .config import AEVQConfig
from .sampling import Sampler

UNITS = ("std", "raw")  # of a shift: standard deviations of the training latents, or the latent's own unit
STRONGEST = 10  # dimensions, or directions, of a figure: the columns of figure 3.2


class LatentSpace:
    """The part of a model that describes its training latents, from what is stored with it."""

    config: AEVQConfig
    sampler: Sampler
    codebook: torch.Tensor | None
    dimension_effect: torch.Tensor

    def ranked_dimensions(self) -> list[int]:
        """The latent dimensions, sorted by their effect on the image, strongest first (:attr:`dimension_effect`)."""
        return self.dimension_effect.argsort(descending=True, stable=True).tolist()

    def axes(self, dims: Iterable[int] | int | None = None, unit: str = "std") -> torch.Tensor:
        """Steps along single latent dimensions, as :func:`latent.perturb` takes them: (P, D).

        Args:
            dims: P dimensions from 0 to D − 1, or one; by default the ten with the strongest effect on the image.
            unit: the length of a step: ``std``, the standard deviation (σ) of the training latents in that dimension,
                or ``raw``, 1, as in the paper. How far 1 leads depends on the scale of the latents, which is arbitrary.

        Raises:
            ValueError: a dimension is out of range, the unit is unknown, or σ was not measured.
        """
        one_of("unit", unit, UNITS)
        dims = self.ranked_dimensions()[:STRONGEST] if dims is None else [dims] if isinstance(dims, int) else dims
        size = self.config.latent_dim
        dims = [whole("dimension", dim, 0, size - 1) for dim in dims]
        length = self.std() if unit == "std" else torch.ones(size)
        return torch.diag(length.to(self.dimension_effect.device))[dims]

    def directions(self, n: int | None = None) -> torch.Tensor:
        """The strongest principal directions of the training latents, each one standard deviation (σ) long: (n, D).

        Unlike single dimensions they do not depend on how the latent space is rotated. For a grid they are those of
        the codes of all cells. The sign of a direction is arbitrary, and the same on every machine: its largest
        component is positive.

        Args:
            n: how many; by default ten, or D if that is less.

        Raises:
            ValueError: n is not in 1 … D, or the moments were not measured.
        """
        n = min(STRONGEST, self.config.latent_dim) if n is None else whole("n", n, 1, self.config.latent_dim)
        variance, vectors = torch.linalg.eigh(self.moments()[1])  # ascending; vectors in columns
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))  # component of each (1, D)
        directions = (vectors * largest.sign()).T * variance.clamp_min(0).sqrt()[:, None]  # (D, D)
        return directions.flip(0)[:n].float().to(self.dimension_effect.device)

    def std(self) -> torch.Tensor:
        """The standard deviations (σ) of the training latents in each dimension (D,); for a grid, of all its codes.

        Raises:
            ValueError: they were not measured.
        """
        return self.moments()[1].diagonal().sqrt().float().to(self.dimension_effect.device)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean (D,) and covariance (D, D) of the training latents, float64; for a grid, of the codes of all cells.

        Raises:
            ValueError: they were not measured.
        """
        return self._fitted_sampler.moments(self.codebook)

    @property
    def _fitted_sampler(self) -> Sampler:
        if not self.sampler.fitted:
            raise ValueError(f"{self.config.name} has no fitted sampler; models trained with `aevq train` have one")
        return self.sampler
