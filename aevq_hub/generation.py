"""New images from a model: samples, and grids of which some cells are given."""

from collections.abc import Callable

import torch

from .checks import number, whole
from .config import AEVQConfig
from .sampling import GaussianMixture, IndependentCells, Sampler


class Generation:
    """The part of a model that draws new latents, from the distribution stored with it."""

    config: AEVQConfig
    codebook: torch.Tensor | None
    decode: Callable[[torch.Tensor], torch.Tensor]
    check_indices: Callable[[torch.Tensor], torch.Tensor]
    _fitted_sampler: Sampler

    @torch.no_grad()
    def sample_latents(self, n: int, seed: int, *, steps: int | None = None, temperature: float = 1.0) -> torch.Tensor:
        """n new latents (n, D) or (n, D, h, w); arguments and errors as for :meth:`sample`."""
        whole("n", n, 1)
        sampler, generator = self._fitted_sampler, torch.Generator().manual_seed(seed)
        if isinstance(sampler, GaussianMixture):
            if steps is not None or temperature != 1:
                raise ValueError(f"{self.config.name} samples single vectors; steps and temperature are for grids")
            return sampler.sample(n, generator)
        assert self.codebook is not None  # a grid of codes has vectors
        return self.codebook[self.grids.sample_indices(n, generator, *_checked(steps, temperature))].movedim(-1, 1)

    def sample(self, n: int, seed: int, *, steps: int | None = None, temperature: float = 1.0) -> torch.Tensor:
        """n new images (n, C, H, W) in [0, 1]. The same seed gives the same images.

        Vectors are sampled from a Gaussian mixture. The codes of a grid are sampled by the prior, each given those that
        are already there or, without a prior (``config.prior_blocks`` is 0), independently. Both are fitted to the
        training latents.

        Args:
            n: how many, at least 1.
            seed: of the random numbers.
            steps: in how many steps the cells of a grid are drawn: fewer are faster, and fit together less well. By
                default half as many as cells to draw; with as many as cells, they are drawn one by one.
            temperature: below 1 for likelier codes, above 1 for more variety; only for grids.

        Raises:
            ValueError: n or steps is below 1, temperature is not in 0.01 … 100, steps or temperature is given for a
                model of single vectors, or the sampler was not fitted.
        """
        return self.decode(self.sample_latents(n, seed, steps=steps, temperature=temperature))

    @torch.no_grad()
    def complete(
        self, indices: torch.Tensor, keep: torch.Tensor, seed: int, *, steps: int | None = None,
        temperature: float = 1.0,
    ) -> torch.Tensor:  # fmt: skip
        """Keep some cells of grids and sample the others given them: (B, h, w) → (B, h, w).

        Args:
            indices: codes (B, h, w) in 0 … K − 1, as :meth:`quantize` gives them; those of other cells do not matter.
            keep: which cells to keep, bool (h, w) or (B, h, w).
            seed: of the random numbers: the same seed gives the same grids.
            steps: as for :meth:`sample`.
            temperature: as for :meth:`sample`.

        Raises:
            ValueError: the model has no grid of codes, or as for :meth:`decode_indices` and :meth:`sample`.
        """
        indices = self._grid_indices(indices)
        shape = tuple(indices.shape)
        if keep.dtype != torch.bool or tuple(keep.shape) not in (shape, shape[1:]):
            raise ValueError(f"keep has the type {keep.dtype} and shape {tuple(keep.shape)}; give bool {shape}")
        generator = torch.Generator().manual_seed(seed)
        keep = keep.expand(shape).to(indices.device)
        return self.grids.complete(indices, keep, generator, *_checked(steps, temperature))

    @torch.no_grad()
    def likelihood(self, indices: torch.Tensor, seed: int = 0) -> torch.Tensor:
        """How improbable grids of codes are, −log2 p: (B, h, w) → bits (B,).

        The cells are revealed one by one in a random order, and the probabilities of their codes, given those before,
        are multiplied. Every order is a distribution of its own. :meth:`sample`, with as many steps as cells, draws an
        order first, so the mean over orders is an upper bound of the bits under what it draws from.

        Raises:
            ValueError: the model has no grid of codes, or as for :meth:`decode_indices`.
        """
        indices = self._grid_indices(indices)
        return self.grids.likelihood(indices, torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def surprise(self, indices: torch.Tensor) -> torch.Tensor:
        """How improbable the code of each cell is, given all other cells, −log2 p: (B, h, w) → bits (B, h, w).

        Raises:
            ValueError: as for :meth:`likelihood`.
        """
        return self.grids.surprise(self._grid_indices(indices))

    @property
    def grids(self) -> IndependentCells:
        """The distribution of a grid's codes, :attr:`sampler`; for a model without a grid of codes, a ValueError."""
        sampler = self._fitted_sampler
        if not isinstance(sampler, IndependentCells):
            raise ValueError(f"{self.config.name} has no grid of codes; only `vqae` and `vqvae` have one")
        return sampler

    def _grid_indices(self, indices: torch.Tensor) -> torch.Tensor:
        """Checked codes of a model with a grid, as int64 on the model's device."""
        device = self.grids.probability.device
        return self.check_indices(indices).long().to(device)


def _checked(steps: int | None, temperature: float) -> tuple[int | None, float]:
    return steps if steps is None else whole("steps", steps, 1), number("temperature", temperature, 0.01, 100)
