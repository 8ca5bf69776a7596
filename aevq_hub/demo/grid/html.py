"""HTML of the tab Grid: the editor with both pictures, and what is said of an edit."""

import html

from ..shared import originals
from ..shared.html import data_url, figure
from . import completion, compute
from .settings import Grid
from .tiles import cells

_OWN = {"~": "the encoder's own vector, near code ", "@": "picture B's vector, near code "}


def editor(s: Grid) -> str:
    """The edited picture and the second one, both with their cells as buttons."""
    side, edited, near = range(s.config.grid_size), compute.is_edited(s), compute.indices(s)
    marks = dict.fromkeys(_OWN, "code ") if s.config.feed == "codebook" else _OWN

    def said(r: int, c: int) -> str:
        cell = s.matrix[r][c]
        known = "zeros" if cell == "-" else f"{marks.get(str(cell), 'code ')}{near[r][c]}"
        return f"row {r + 1}, column {c + 1}: {known}{', edited' * edited[r][c]}"

    names = [["–" if s.matrix[r][c] == "-" else str(near[r][c]) for c in side] for r in side]
    labels = [[said(r, c) for c in side] for r in side]
    plain, there = (
        [[False for _ in side] for _ in side],
        [[f"row {r + 1}, column {c + 1} of B" for c in side] for r in side],
    )
    alt = f"{s.start} by {s.model} with {sum(map(sum, edited))} cells edited"
    return figure(
        compute.picture(s), "Edited", alt, hint="drag over cells", download=f"{s.model}-grid.png",
        overlay=cells(names, labels, s.corners, edited),
    ) + figure(
        compute.direct(s, "second"), "Picture B", f"{s.second} by {s.model}",
        overlay=cells([["" for _ in side] for _ in side], there, s.corners, plain),
    )  # fmt: skip


def status(s: Grid) -> str:
    """The chosen cells and how much an edit changes, in a line."""
    edited, change = compute.is_edited(s), compute.change(s)
    (top, left), (bottom, right) = s.chosen[0], s.chosen[-1]
    given = "given the other cells" if s.config.prior_blocks else "in this place"
    what = f"Row {top + 1}, column {left + 1}: {completion.surprise(s).bits[top][left]:.1f} bits {given}."
    if len(s.chosen) > 1:
        what = f"{len(s.chosen)} cells, rows {top + 1} to {bottom + 1}, columns {left + 1} to {right + 1}."
    return (
        f'<p class="said-of" role="status"><b>Chosen:</b> {what} {sum(map(sum, edited))} of {len(edited) ** 2} cells '
        f"are edited; {change.changed} of {change.pixels} pixels changed by more than {compute.THRESHOLD:.0%}.</p>"
    )


def effects(s: Grid) -> str:
    """The original, its reconstructions, what an edit changed, and which cells are unusual."""
    fed = {"encoder": "from the encoder's vectors", "codebook": "from its codes"}[s.config.feed]
    given = "given the other cells" if s.config.prior_blocks else "in this place"
    shown = [
        figure(originals.shown(s.model, s.start), "Picture A", f"picture A, {s.start}"),
        figure(compute.direct(s), "Reconstruction", f"{s.start} by {s.model}, {fed}", hint=fed),
    ]
    if s.config.feed == "encoder":
        alt = f"{s.start} by {s.model} from its codes alone"
        shown.append(figure(compute.quantised(s), "Quantised", alt, hint="from its codes"))
    shown += [
        figure(compute.change(s).picture, "What changed", "in orange: changed pixels", hint="in orange"),
        figure(completion.surprise(s).picture, "Unusual cells", f"in orange: cells whose code is unlikely {given}",
               hint=f"in orange: unlikely {given}"),
    ]  # fmt: skip
    return f'<div class="row-of">{"".join(shown)}</div>'


def csv(s: Grid) -> str:
    """A link to the index matrix as a file."""
    table = data_url(compute.csv(s).encode(), "text/csv")
    return f'<p class="said-of"><a download="{html.escape(s.model)}-indices.csv" href="{table}">Download as CSV</a></p>'
