"""The tab Grid's functions for programs."""

from typing import Literal

from ..shared.endpoints import PARAMETERS, documented, scaled
from ..shared.events import File
from ..shared.settings import MAX_SEED
from . import completion, compute
from .settings import Grid

_described = documented({
    **PARAMETERS,
    "model": "one with a grid and a codebook, such as vqae-celeba; `models` lists all.",
    "cells": "edits, such as 3,4=17;1,1=5 (row,column=code, from 1), or the whole matrix, with ; between its rows; "
    "besides codes, a cell may be ~ (the picture's own vector), @ (the second picture's) or - (zeros).",
    "second": "the picture that @ means, named like the start.",
    "row": "of the first chosen cell, from 1; 0 for the middle.",
    "column": "of the first chosen cell, from 1; 0 for the middle.",
    "to_row": "of the opposite corner of a rectangle of chosen cells, from 1; 0 for the same row.",
    "to_column": "of that corner, from 1; 0 for the same column.",
    "code": "the code to put, from 0.",
    "share": "of the cells, from 0 to 1, for the action share.",
    "seed": f"of random codes, from 0 to {MAX_SEED}.",
})  # fmt: skip


@_described
def recombine(
    model: str = Grid.model, start: str = "sample:0", cells: str = "", second: str = "sample:1", scale: int = 8
) -> File:
    """Put codes into cells of a picture's grid and draw the result.

    Returns:
        A PNG of the picture.
    """
    return scaled(compute.picture(Grid(model=model, start=start, second=second, cells=cells)), scale)


@_described
def recombination_changes(
    model: str = Grid.model, start: str = "sample:0", cells: str = "", second: str = "sample:1", scale: int = 8
) -> File:
    """Show which pixels an edit of a picture's grid has changed, in orange.

    Returns:
        A PNG of the picture.
    """
    return scaled(compute.change(Grid(model=model, start=start, second=second, cells=cells)).picture, scale)


@_described
def index_matrix(
    model: str = Grid.model, start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> list[list[int | None]]:
    """List the codes of a picture's grid, after edits if there are any.

    Returns:
        For each row of the grid the index of each cell's code, or of the nearest one; null in cells of zeros.
    """
    return compute.codes(Grid(model=model, start=start, second=second, cells=cells))


@_described
def edit_cells(
    action: Literal[
        "put", "paste", "keep", "random", "broadcast", "zeros", "share", "fill", "fill_rest", "seam", "draw",
        "quantise", "reset",
    ] = "put",
    model: str = Grid.model,
    start: str = "sample:0",
    cells: str = "",
    row: int = 0,
    column: int = 0,
    to_row: int = 0,
    to_column: int = 0,
    code: int = 0,
    share: float = 0.3,
    seed: int = 0,
    second: str = "sample:1",
) -> str:  # fmt: skip
    """Edit the cells of a grid as the buttons of the page do; `recombine` draws the answer.

    Into the chosen cells go the code (put), the second picture's vectors (paste), the picture's own (keep) or codes
    that fit the others, drawn by the model (fill). It can also fill all other cells (fill_rest), the border of what
    was pasted (seam) or the whole grid (draw). Into all cells go the code (broadcast), the code among zeros (zeros),
    random codes (random), the nearest codes (quantise) or the picture's own vectors (reset); into a random share,
    random codes (share).

    Args:
        action: what to do, as described above.

    Returns:
        The cells, for `recombine`; empty where all are the picture's own.
    """
    s = Grid(model=model, start=start, second=second, cells=cells, row=row, column=column, to_row=to_row,
             to_column=to_column, code=code, share=share, seed=seed)  # fmt: skip
    return compute.edited(s, action).cells


@_described
def fill_cells(
    action: Literal["fill", "fill_rest", "seam"] = "fill",
    model: str = Grid.model,
    start: str = "sample:0",
    cells: str = "",
    row: int = 0,
    column: int = 0,
    to_row: int = 0,
    to_column: int = 0,
    seed: int = 0,
    second: str = "sample:1",
) -> list[str]:
    """Propose four ways to fill cells so that they fit the others.

    Args:
        action: fill for the chosen cells, fill_rest for all the others, seam for the border of pasted ones.
        seed: of the first proposal; the others have the next ones.

    Returns:
        The cells of each proposal, for `recombine`.
    """
    s = Grid(model=model, start=start, second=second, cells=cells, row=row, column=column, to_row=to_row,
             to_column=to_column, seed=seed)  # fmt: skip
    return [one.settings.cells for one in completion.proposals(s, action)]


@_described
def unusual_cells(
    model: str = Grid.model, start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> list[list[float]]:
    """Tell how unusual each cell's code is, given all others.

    Returns:
        For each row of the grid, the bits of its cells: −log2 of the probability of the code.
    """
    return completion.surprise(Grid(model=model, start=start, second=second, cells=cells)).bits


ENDPOINTS = (recombine, recombination_changes, index_matrix, edit_cells, fill_cells, unusual_cells)
