"""Edits of grids of vectors (figures 4.5, 4.7, 4.8). No function changes its arguments.

A grid is a latent (D, h, w) or a batch of them (B, D, h, w), a cell is a pair (row, column), and a code is an index
into the codebook (K, D).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .checks import number, whole

Cell = tuple[int, int]


def replace(z: Tensor, cells: Sequence[Cell], codes: int | Sequence[int], codebook: Tensor) -> Tensor:
    """Put codes into cells of a grid (figure 4.8).

    Args:
        z: grids (..., D, h, w).
        cells: P cells.
        codes: one code for all the cells, or P codes.
        codebook: vectors (K, D).

    Raises:
        ValueError: a cell or a code is out of range, or the numbers of cells and codes differ.
    """
    rows, columns = checked_cells(z, cells)
    codes = [codes] * len(rows) if isinstance(codes, int) else list(codes)
    if len(codes) != len(rows):
        raise ValueError(f"{len(codes)} codes for {len(rows)} cells; give one code, or one per cell")
    edited = z.clone()
    edited[..., rows, columns] = _vectors(codes, codebook).T.to(z.dtype)  # (D, P)
    return edited


def random_indices(n: int, size: int, num_codes: int, generator: torch.Generator) -> Tensor:
    """n grids of random codes (figure 4.5): (n, size, size), for :meth:`AEVQ.decode_indices`.

    Raises:
        ValueError: a number below 1.
    """
    for name, value in (("n", n), ("size", size), ("num_codes", num_codes)):
        whole(name, value, 1)
    return torch.randint(num_codes, (n, size, size), generator=generator)


def broadcast(code: int, size: int, codebook: Tensor) -> Tensor:
    """One code in every cell (figure 4.7a): (D, size, size).

    Raises:
        ValueError: the code is not in the codebook.
    """
    return _vectors([code], codebook)[0][:, None, None].expand(-1, size, size).clone()


def among_zeros(code: int, cell: Cell, size: int, codebook: Tensor) -> Tensor:
    """One code in one cell and zeros elsewhere (figure 4.7b): (D, size, size).

    Raises:
        ValueError: the code is not in the codebook, or the cell is outside the grid.
    """
    return replace(codebook.new_zeros(codebook.shape[1], size, size), [cell], code, codebook)


def replace_share(z: Tensor, share: float, codebook: Tensor, generator: torch.Generator) -> Tensor:
    """Put random codes into a random fraction of the cells (figure 4.8), the same for every grid of a batch.

    Args:
        z: grids (..., D, h, w).
        share: the fraction of the cells, from 0 to 1, rounded to whole cells.
        codebook: vectors (K, D).
        generator: the source of random numbers.

    Raises:
        ValueError: share is out of range.
    """
    height, width = z.shape[-2:]
    cells, codes = drawn_replacements(share, height, width, len(codebook), generator)
    return replace(z, cells, codes, codebook)


def drawn_replacements(
    share: float, height: int, width: int, num_codes: int, generator: torch.Generator
) -> tuple[list[Cell], list[int]]:
    """The random choice of :func:`replace_share`: P different cells and P codes.

    Raises:
        ValueError: share is out of range.
    """
    number("share", share, 0, 1)
    chosen = torch.randperm(height * width, generator=generator)[: round(share * height * width)].tolist()
    codes = torch.randint(num_codes, (len(chosen),), generator=generator).tolist()
    return [divmod(cell, width) for cell in chosen], codes


def blank(z: Tensor, cells: Sequence[Cell]) -> Tensor:
    """Put zero vectors into cells of grids (..., D, h, w) (figure 4.7b: into all cells but one).

    Raises:
        ValueError: a cell is outside the grid.
    """
    rows, columns = checked_cells(z, cells)
    edited = z.clone()
    edited[..., rows, columns] = 0
    return edited


def paste(z: Tensor, other: Tensor, cells: Sequence[Cell]) -> Tensor:
    """Copy cells, such as those of a :func:`rectangle`, of grids ``other`` into grids z (..., D, h, w) of equal shape.

    Raises:
        ValueError: the shapes differ, or a cell is outside the grid.
    """
    if z.shape != other.shape:
        raise ValueError(f"the grids have the shapes {tuple(z.shape)} and {tuple(other.shape)}; they must be equal")
    rows, columns = checked_cells(z, cells)
    edited = z.clone()
    edited[..., rows, columns] = other[..., rows, columns]
    return edited


def rectangle(corner: Cell, opposite: Cell) -> list[Cell]:
    """The cells of a rectangle, including both corners, row by row."""
    (top, bottom), (left, right) = (sorted(ends) for ends in zip(corner, opposite, strict=True))
    return [(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]


def checked_cells(z: Tensor, cells: Sequence[Cell]) -> tuple[list[int], list[int]]:
    """The rows and the columns of cells of grids (..., D, h, w).

    Raises:
        ValueError: z is not a grid, or a cell lies outside it.
    """
    if z.ndim < 3:
        raise ValueError(f"z has the shape {tuple(z.shape)}; give grids (..., D, h, w)")
    height, width = z.shape[-2:]
    for row, column in cells:
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(f"cell {(row, column)} is outside the grid of {height} × {width} cells")
    return [row for row, _ in cells], [column for _, column in cells]


def _vectors(codes: Sequence[int], codebook: Tensor) -> Tensor:
    for code in codes:
        if not isinstance(code, int) or not 0 <= code < len(codebook):
            raise ValueError(f"code {code!r} is out of range; choose from 0 to {len(codebook) - 1}")
    return codebook[torch.tensor(codes, dtype=torch.long, device=codebook.device)]  # (P, D)
