"""Small buttons over pictures: the cells of a grid, and a palette of codes.

Tab reaches each group of buttons once; the arrow keys move within it (``static/group.js``).
"""

import html

from ...recombine import rectangle
from ..shared.html import data_url
from .completion import Proposal
from .compute import Palette


def cells(
    names: list[list[str]],  # shown when one points at a cell
    labels: list[list[str]],  # read aloud
    corners: tuple[tuple, tuple],  # row and column from 0 of the first chosen cell and of the opposite corner
    edited: list[list[bool]],
) -> str:
    """HTML of a grid's cells as buttons, to lie over its picture."""
    chosen = rectangle(*corners)
    stop = min(chosen)
    buttons = [
        f'<button type="button" data-row="{r + 1}" data-column="{c + 1}" tabindex="{0 if (r, c) == stop else -1}" '
        f'aria-pressed="{str((r, c) in chosen).lower()}" title="{html.escape(label)}" '
        f'aria-label="{html.escape(label)}"{" class=edited" if edited[r][c] else ""}>{html.escape(name)}</button>'
        for r, row in enumerate(zip(names, labels, strict=True))
        for c, (name, label) in enumerate(zip(*row, strict=True))
    ]
    said = "the cells of the grid: arrow keys move, Enter chooses, Shift with either spans a rectangle"
    return f'<div class="cells" role="group" aria-label="{said}" style="--side:{len(names)}">{"".join(buttons)}</div>'


def palette(shown: Palette) -> str:
    """HTML of a model's codes as buttons, each with its picture and its index."""
    rows, columns = -(-len(shown.codes) // shown.columns), shown.columns
    buttons = []
    for i, code in enumerate(shown.codes):
        label = f"code {code}, in {shown.shares[i]:.1%} of all cells"
        across, down = i % columns / max(1, columns - 1) * 100, i // columns / max(1, rows - 1) * 100
        place = f"background-size:{columns * 100}% {rows * 100}%;background-position:{across:.3f}% {down:.3f}%"
        buttons.append(
            f'<button type="button" data-code="{code}" tabindex="{-1 if i else 0}" aria-pressed="false" '
            f'title="{label}" aria-label="{label}"><i style="{place}"></i><b>{code}</b></button>'
        )
    said = "the codes, the most used first: arrow keys move, Enter puts one into the chosen cells"
    return (
        f'<div class="palette" role="group" aria-label="{said}" '
        f"style=\"--sprite:url('{data_url(shown.sprite)}')\">{''.join(buttons)}</div>"
    )


def proposals(shown: list[Proposal]) -> str:
    """HTML of ways to fill cells as buttons with their pictures; the first one is taken."""
    buttons = [
        f'<button type="button" data-cells="{html.escape(one.settings.cells)}" tabindex="{-1 if i else 0}" '
        f'aria-pressed="{"false" if i else "true"}" title="seed {one.seed}" aria-label="proposal {i + 1}">'
        f'<img src="{data_url(one.picture)}" alt=""></button>'
        for i, one in enumerate(shown)
    ]
    said = "ways to fill the cells: arrow keys move, Enter takes one"
    return f'<div class="proposals" role="group" aria-label="{said}">{"".join(buttons)}</div>'
