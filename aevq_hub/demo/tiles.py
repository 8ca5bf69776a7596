"""Small buttons over pictures: the cells of a grid, and a palette of codes. Each is a group with one stop for the Tab
key, in which the arrow keys move."""

import base64
import html

from ..explore.recombination import Palette
from ..recombine import rectangle
from .parts import png

# A group keeps the focus when it is drawn anew: its buttons are others then.
GROUP = """
const buttons = () => [...element.querySelectorAll('[role=group] button')];
const place = button => buttons().indexOf(button);
let focused = -1;
const visit = button => { buttons().forEach(other => other.tabIndex = other === button ? 0 : -1); button.focus(); };
element.addEventListener('focusin', event => focused = place(event.target));
element.addEventListener('focusout', event => { if (event.relatedTarget) focused = -1; });
document.addEventListener('pointerdown', event => { if (!element.contains(event.target)) focused = -1; });
new MutationObserver(() => {
    const button = buttons()[focused];
    if (button && document.activeElement === document.body) { visit(button); }
}).observe(element, {childList: true, subtree: true});
element.addEventListener('keydown', event => {
    const all = buttons(), here = place(event.target), top = all[0] && all[0].offsetTop;
    const columns = all.filter(button => button.offsetTop === top).length;
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns}[event.key];
    if (here < 0 || !step) return;
    event.preventDefault();
    const next = all[here + step];
    if (!next || (Math.abs(step) === 1 && next.offsetTop !== all[here].offsetTop)) return;
    visit(next);
    moved(next, event.shiftKey);
});
"""
# The server may answer clicks in another order than they were made. So each one tells which cells were chosen last:
# window.chosenCells has them, corner to corner, until the page shows them as chosen.
CELLS_SCRIPT = (
    """
const shown = () => { const group = element.querySelector('.cells'); return group && group.dataset.chosen; };
const tell = (button, extend) => {
    const here = [button.dataset.row, button.dataset.column].map(Number);
    const begun = extend ? window.chosenCells || shown().split(',').map(Number) : here;
    window.chosenCells = [...begun.slice(0, 2), ...here];
    trigger('select');
};
new MutationObserver(() => {
    if (String(window.chosenCells) === shown()) window.chosenCells = null;
}).observe(element, {childList: true, subtree: true});
const moved = (button, extend) => { if (extend) tell(button, true); };
element.addEventListener('click', event => {
    const button = event.target.closest('.cells button');
    if (button) tell(button, event.shiftKey);
});
"""
    + GROUP
)
PALETTE_SCRIPT = (
    """
const moved = () => {};
element.addEventListener('click', event => {
    const button = event.target.closest('.palette button');
    if (!button) return;
    buttons().forEach(other => other.setAttribute('aria-pressed', other === button));
    trigger('select', {code: Number(button.dataset.code)});
});
"""
    + GROUP
)


def cells(names: list[list[str]], labels: list[list[str]], corners: tuple[tuple, tuple], edited: list[list[bool]]):
    """HTML of a grid's cells as buttons, to lie over its picture.

    Args:
        names: of each cell, what it shows when one points at it.
        labels: what it says.
        corners: row and column from 0 of the first chosen cell and of the opposite corner.
        edited: of each cell, whether it was.
    """
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
    begun = ",".join(str(place + 1) for corner in corners for place in corner)
    return (
        f'<div class="cells" role="group" aria-label="{said}" style="--side:{len(names)}" data-chosen="{begun}">'
        f"{''.join(buttons)}</div>"
    )


def palette(shown: Palette) -> str:
    """HTML of a model's codes as buttons, each with its picture and its index."""
    rows, columns = -(-len(shown.codes) // shown.columns), shown.columns
    sprite = base64.b64encode(png(shown.sprite)).decode()
    buttons = []
    for i, code in enumerate(shown.codes):
        label = f"code {code}" + (f", in {shown.shares[i]:.1%} of all cells" if shown.shares else "")
        across, down = i % columns / max(1, columns - 1) * 100, i // columns / max(1, rows - 1) * 100
        place = f"background-size:{columns * 100}% {rows * 100}%;background-position:{across:.3f}% {down:.3f}%"
        buttons.append(
            f'<button type="button" data-code="{code}" tabindex="{-1 if i else 0}" aria-pressed="false" '
            f'title="{label}" aria-label="{label}"><i style="{place}"></i><b>{code}</b></button>'
        )
    said = "the codes, the most used first: arrow keys move, Enter puts one into the chosen cells"
    return (
        f'<div class="palette" role="group" aria-label="{said}" '
        f"style=\"--sprite:url('data:image/png;base64,{sprite}')\">{''.join(buttons)}</div>"
    )
