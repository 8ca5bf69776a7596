"""The grid recombination tab's functions for programs."""

from ..explore import completion
from ..explore import recombination as explore
from ..explore.recombination import Recombination
from .parts import answer, png

_PICTURE = """model: one of the models with a grid, such as vqae-fashionmnist.
        start: the picture: sample:N, random:N or image:….
        cells: the edits, as for `recombine`.
        second: the picture that @ means."""

_CHOSEN = """model: one of the models with a grid, such as vqae-fashionmnist.
        start: the picture: sample:N, random:N or image:….
        cells: what was edited before, as for `recombine`.
        row: of the first chosen cell from 1; 0 for the middle.
        column: of the first chosen cell.
        to_row: of the opposite corner of a rectangle of cells; 0 for the same row.
        to_column: of that corner."""


def recombine(
    model: str = "vqae-fashionmnist", start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> dict:
    """Put codes into cells of a picture's grid and draw the result.

    Besides codes, a cell may be ~ (the picture's own vector), @ (the second picture's) or - (zeros).

    Args:
        model: one of the models with a grid, such as vqae-fashionmnist.
        start: the picture: sample:N (a sample's number), random:N (a seed) or image:… (what `bring` answered).
        cells: edits, such as 3,4=17;1,1=5 (row,column=code, from 1), or the whole matrix, with ; between its rows.
        second: the picture that @ means, likewise.

    Returns:
        A PNG of the picture, in the model's own size.
    """
    return answer(png(explore.picture(Recombination(model, start, second, cells))))


def recombination_changes(
    model: str = "vqae-fashionmnist", start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> dict:
    """Show which pixels an edit of a picture's grid has changed, in orange.

    Args:
        {picture}

    Returns:
        A PNG, in the model's own size.
    """
    return answer(png(explore.change(Recombination(model, start, second, cells)).picture))


def index_matrix(
    model: str = "vqae-fashionmnist", start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> str:
    """List the codes of a picture's grid, after edits if there are any.

    Args:
        {picture}

    Returns:
        The codes' indices, one row of the grid a line, with commas between them; nothing in cells of zeros.
    """
    return explore.csv(Recombination(model, start, second, cells))


def edit_cells(
    action: str = "put",
    model: str = "vqae-fashionmnist",
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
) -> str:
    """Edit the cells of a grid as the buttons of the page do; `recombine` draws the answer.

    Into the chosen cells go the code (put), the second picture's vectors (paste), the picture's own (keep) or codes
    that fit the others, drawn by the model (fill). It can also fill all other cells (fill_rest), the border of what
    was pasted (seam) or the whole grid (draw). Into all cells go the code (broadcast), the code among zeros (zeros),
    random codes (random), the nearest codes (quantise) or the picture's own vectors (reset); into a random share,
    random codes (share).

    Args:
        action: put, paste, keep, fill, fill_rest, seam, draw, broadcast, zeros, random, quantise, reset or share.
        {chosen}
        code: which one, from 0.
        share: of the cells, from 0 to 1.
        seed: of random codes.
        second: the picture that @ means, as for `recombine`.

    Returns:
        The cells, for `recombine`; empty where all are the picture's own.
    """
    settings = Recombination(model, start, second, cells, row, column, to_row, to_column, code, share, seed)
    return explore.edited(settings, action).cells


def fill_cells(
    action: str = "fill",
    model: str = "vqae-fashionmnist",
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
        {chosen}
        seed: of the first proposal; the others have the next ones.
        second: the picture that @ means, as for `recombine`.

    Returns:
        The cells of each proposal, for `recombine`.
    """
    settings = Recombination(model, start, second, cells, row, column, to_row, to_column, seed=seed)
    return [one.settings.cells for one in completion.proposals(settings, action)]


def unusual_cells(
    model: str = "vqae-fashionmnist", start: str = "sample:0", cells: str = "", second: str = "sample:1"
) -> list[list[float]]:
    """Tell how unusual each cell's code is, given all others.

    Args:
        {picture}

    Returns:
        For each row of the grid, the bits of its cells: −log2 of the probability of the code.
    """
    return completion.surprise(Recombination(model, start, second, cells)).bits


for function in (unusual_cells, recombination_changes, index_matrix, edit_cells, fill_cells):
    function.__doc__ = (function.__doc__ or "").replace("{picture}", _PICTURE).replace("{chosen}", _CHOSEN)
ENDPOINTS = (recombine, recombination_changes, index_matrix, edit_cells, fill_cells, unusual_cells)
