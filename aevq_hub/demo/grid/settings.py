"""What the tab Grid can be set to."""

from dataclasses import dataclass

from ... import latent
from ...config import AEVQConfig
from ..shared.settings import MAX_SEED, Settings, number, of_grid, option, whole
from .cells import Cells, parsed, spelled

FIRST = "vqae-celeba"


@dataclass(frozen=True)
class Grid(Settings):
    """The tab's settings. Vectors of the second picture can be pasted. Rows and columns are counted
    from 1; 0 means the middle."""

    PREFERRED = "vqae"

    model: str = FIRST
    cells: str = ""  # what is in the cells, as text; see `cells`
    row: int = option(0, whole, low=0, high=of_grid)  # of the first chosen cell
    column: int = option(0, whole, low=0, high=of_grid)
    to_row: int = option(0, whole, low=0, high=of_grid)  # of the opposite corner of the rectangle; 0 for the same row
    to_column: int = option(0, whole, low=0, high=of_grid)
    code: int = option(0, whole, low=0, high=lambda s: s.config.num_codes - 1)  # the one to put
    share: float = option(0.3, number, low=0, high=1)  # of the cells that are replaced by random codes
    seed: int = option(0, whole, low=0, high=MAX_SEED)  # of the next random choice

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "cells", spelled(self.matrix))

    @staticmethod
    def can(config: AEVQConfig) -> bool:
        return config.grid_size > 0 and config.num_codes > 0

    @property
    def matrix(self) -> Cells:
        """The cells, each a code or a mark."""
        return parsed(self.cells, self.config.grid_size, self.config.num_codes)

    @property
    def corners(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first chosen cell and the opposite corner, rows and columns from 0."""
        middle = self.config.grid_size // 2 + 1
        row, column = self.row or middle, self.column or middle
        return (row - 1, column - 1), ((self.to_row or row) - 1, (self.to_column or column) - 1)

    @property
    def chosen(self) -> list[tuple[int, int]]:
        """The chosen cells, rows and columns from 0."""
        return latent.recombine.rectangle(*self.corners)
