"""The grid recombination tab: cells of a grid replaced by other codes, or by those of another picture."""

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import gradio as gr

from ..explore import completion, snippets
from ..explore import recombination as explore
from ..explore.cells import History
from ..explore.recombination import Recombination
from ..explore.settings import whole
from .chooser import Chooser
from .parts import CLICKS, Picker, Tab, View, data_url, explained, figure, original, sent, static
from .recombination_endpoints import ENDPOINTS
from .tiles import cells, palette, proposals

__all__ = ["ENDPOINTS", "ID", "SETTINGS", "TITLE", "build"]
ID, TITLE, SETTINGS = "recombination", "Grid recombination", Recombination
_PLACES = {"start": "Picture", "second": "Second picture"}
_RECTANGLE = {"row": "Row", "column": "Column", "to_row": "… to row", "to_column": "… to column"}
_INTRODUCTION = """
These models do not squeeze a picture into one vector but into a *grid* of them, one per cell, and each is near one of
a few *codes*, the vectors of the *codebook*. Put other codes into cells and see what the decoder makes of it:
figures 4.4 to 4.8 of the paper.
"""
_FED = {
    "encoder": "This model's decoder is used to the **encoder's own vectors**, which only lie near the codes. So an "
    "edit replaces single cells among them by codes (figure 4.8), and the matrix marks the others with ~: ~17 is a "
    "vector near code 17. *Quantise all* puts the nearest code into every cell (figure 4.4).",
    "codebook": "This model's decoder always receives **the codes themselves**: the picture is its matrix, and "
    "*Quantise all* changes nothing.",
}
_NO_PRIOR = """
This model has no prior: cells are filled by how often each code occurs in their place, without regard to the others.
"""
_BUTTONS = {
    "The chosen cells": {"paste": "Paste from the second picture", "keep": "Give back its own"},
    "Let the model fill cells": {
        "fill": "Fill the chosen cells", "fill_rest": "Keep them, fill the rest", "seam": "Fill the seam",
        "draw": "Draw a whole grid",
    },
    "The whole grid": {
        "broadcast": "This code everywhere", "zeros": "This code among zeros", "quantise": "Quantise all",
    },
    "By chance": {"share": "Replace a share at random", "random": "Random grid"},
}  # fmt: skip


def _introduced(s: Recombination) -> str:
    """What the decoder receives, and how cells are filled if there is no prior."""
    return _FED[s.config.feed] + ("" if s.config.prior_blocks else f"\n{_NO_PRIOR}")


def _draw_known(s: Recombination) -> list[str]:
    """The picture without edits, and the second one."""
    fed = {"encoder": "from the encoder's vectors, D(E(x))", "codebook": "from its codes"}
    said = "Not shown: the data set's terms do not allow it." if s.start.startswith("sample") else "It is not at hand."
    how = fed[s.config.feed]
    return [
        original(s, said),
        figure(explore.direct(s), "Direct", f"{s.start} drawn {how}", hint=how),
        figure(explore.quantised(s), "Quantised", f"{s.start} drawn from its codes alone", hint="from its codes"),
        figure(explore.direct(s, "second"), "Second picture", f"{s.second}, as {s.model} draws it"),
    ]


def _draw_edited(s: Recombination) -> list:
    near, edited, chosen = explore.indices(s), explore.is_edited(s), s.chosen
    unusual = completion.surprise(s)
    own = {"~": "the encoder's own vector, near code ", "@": "the second picture's vector, near code "}
    if s.config.feed == "codebook":
        own = dict.fromkeys(own, "code ")

    def said(r: int, c: int) -> str:
        cell = s.matrix[r][c]
        return "zeros" if cell == "-" else f"{own.get(str(cell), 'code ')}{near[r][c]}"

    side = range(s.config.grid_size)
    labels = [[f"row {r + 1}, column {c + 1}: {said(r, c)}{', edited' * edited[r][c]}" for c in side] for r in side]
    names = [["–" if s.matrix[r][c] == "-" else str(near[r][c]) for c in side] for r in side]
    count, change = sum(map(sum, edited)), explore.change(s)
    alt = f"{s.start} drawn by {s.model} with {count} cells edited"
    overlay = cells(names, labels, s.corners, edited)
    (top, left), (bottom, right) = chosen[0], chosen[-1]
    bits, given = unusual.bits[top][left], "given the other cells" if s.config.prior_blocks else "in this place"
    what = f"Row {top + 1}, column {left + 1}: {said(top, left)}, {bits:.1f} bits {given}."
    if len(chosen) > 1:
        what = f"{len(chosen)} cells, rows {top + 1} to {bottom + 1}, columns {left + 1} to {right + 1}."
    table = data_url(explore.csv(s).encode(), "text/csv")
    changed = (
        f"{change.changed} of {change.pixels} pixels changed by more than {explore.THRESHOLD:.0%} of the full range; "
        f"{count} of {len(side) ** 2} cells are edited."
    )
    return [
        figure(
            explore.picture(s), "Edited", alt, hint="click a cell; with Shift, a rectangle",
            download=f"{s.model}-recombination.png", overlay=overlay,
        ),
        figure(change.picture, "What changed", f"in orange: {changed}", hint="in orange"),
        figure(
            unusual.picture, "Unusual cells", f"in orange: cells whose code is unlikely {given}",
            hint=f"in orange: unlikely {given}",
        ),
        f'<p class="said-of" role="status"><b>Chosen:</b> {html.escape(what)}<br>{changed}</p>',
        explore.matrix_text(s),
        f'<p class="said-of"><a download="{s.model}-indices.csv" href="{table}">'
        "Download the index matrix as CSV</a></p>",
    ]  # fmt: skip


def _draw_palette(s: Recombination) -> list[str]:
    return [palette(explore.palette(s.model))]


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Recombination(model=Recombination.first())
    size = first.config.grid_size
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(_INTRODUCTION)
        with gr.Row():
            picker, chooser = Picker(ID, Recombination), Chooser(ID, _PLACES, first)
        with picker.column:
            fed = gr.Markdown(_introduced(first), elem_id="fed")
        controls, buttons = {"model": picker.model, **chooser.tokens}, {}
        with gr.Row(elem_classes=["four"]):
            known = []
            for name in ("original", "direct", "quantised", "second"):
                with gr.Column(min_width=120):
                    known.append(gr.HTML(elem_id=f"{ID}_{name}", min_height=130))
                    if name in ("original", "second"):
                        chooser.tokens["start" if name == "original" else name].render()
        with gr.Row():
            with gr.Column(min_width=300, scale=6):
                with gr.Row(elem_classes=["pair", "stacked"]):  # on a phone, cells are as large as fingers
                    edited = gr.HTML(elem_id="edited", js_on_load=static("cells.js", "group.js"), min_height=160)
                    change = gr.HTML(elem_id="change", min_height=160)
                filled = gr.HTML(elem_id="proposals", js_on_load=static("proposals.js", "group.js"))
                said = gr.HTML(elem_id="recombination_status", min_height=48)
                with gr.Row():
                    undo, redo, buttons["reset"] = (
                        gr.Button(title, size="sm", elem_id=title.lower(), min_width=90, interactive=title == "Reset")
                        for title in ("Undo", "Redo", "Reset")
                    )
            with gr.Column(min_width=300, scale=5):
                codes = _lay_out_codes(first, controls, buttons)
        with gr.Row():
            with gr.Column(min_width=300):
                _lay_out_actions(size, controls, buttons)
            with gr.Column(min_width=300):
                matrix = gr.Textbox(
                    label="Index matrix", lines=size, max_lines=16, buttons=["copy"], elem_id="matrix",
                    elem_classes=["matrix"], info="copy it, or edit or paste one and apply it",
                )  # fmt: skip
                with gr.Row(equal_height=True):
                    apply = gr.Button("Apply the matrix", size="sm", elem_id="apply", min_width=120, scale=0)
                    csv = gr.HTML(elem_id="csv")
                unusual = gr.HTML(elem_id="unusual", min_height=160)
        controls["cells"] = gr.Textbox(visible="hidden", elem_id="cells")
        steps = _Steps(gr.State(History()), controls["cells"], undo, redo)

        def fill(s: Recombination) -> dict:
            return {
                **{box: gr.update(maximum=s.config.grid_size, value=at) for box, at in _numbers(controls, s).items()},
                **steps.show(History(now=s.cells)),
                fed: _introduced(s),
                filled: "",
                controls["code"]: gr.update(maximum=s.config.num_codes - 1, value=s.code),
            }

        edited_view = View(_draw_edited, [edited, change, unusual, said, matrix, csv])
        views = [edited_view, View(_draw_known, known), View(_draw_palette, [codes])]
        result = Tab(tab, Recombination, controls, views, snippets.recombination, [picker.fill, chooser.fill, fill])
    result.change_model(["start", "second"], picker)
    cleared = View(lambda s: [""], [filled])
    chooser.wire(lambda event: result.redraw(event, [*views[:2], cleared]))
    _wire(result, steps, buttons, [apply.click, matrix.submit], filled)
    return result


def _lay_out_codes(first: Recombination, controls: dict, buttons: dict) -> gr.HTML:
    gr.Markdown("**Codes**, the most used first; click one to put it into the chosen cells")
    codes = gr.HTML(elem_id="palette", js_on_load=static("palette.js", "group.js"), min_height=200)
    with gr.Row():
        controls["code"] = gr.Slider(
            0, first.config.num_codes - 1, 0, step=1, label="Code", elem_id="put_code", buttons=[], scale=3,
            min_width=160,
        )  # fmt: skip
        buttons["put"] = gr.Button("Put it in", size="sm", elem_id="put", min_width=90)
    return codes


def _lay_out_actions(size: int, controls: dict, buttons: dict) -> None:
    for heading, titles in _BUTTONS.items():
        gr.Markdown(f"**{heading}**")
        if "share" in titles:
            with gr.Row():
                controls["share"] = gr.Slider(
                    0, 1, 0.3, step=0.05, label="Share", elem_id="replaced_share", buttons=[], min_width=120
                )
                controls["seed"] = gr.Number(
                    0, label="Seed", info="of the next draw; it counts on", precision=0, minimum=0,
                    elem_id="draw_seed", min_width=120,
                )  # fmt: skip
        with gr.Row():
            for action, title in titles.items():
                buttons[action] = gr.Button(title, size="sm", elem_id=f"do_{action}", min_width=120)
    with gr.Accordion("Choose cells by their numbers", open=False, elem_id="by_numbers"), gr.Row():
        for name, label in _RECTANGLE.items():
            controls[name] = gr.Slider(
                1, size, size // 2 + 1, step=1, label=label, buttons=[], min_width=120, elem_id=f"{ID}_{name}"
            )


def _numbers(controls: dict, s: Recombination) -> dict:
    """The sliders of the rectangle's two corners, first the one where it was begun."""
    places = (place + 1 for corner in s.corners for place in corner)
    return {controls[name]: place for name, place in zip(_RECTANGLE, places, strict=True)}


@dataclass(frozen=True)
class _Steps:
    """The components of undo and redo."""

    history: gr.State
    cells: gr.Textbox
    undo: gr.Button
    redo: gr.Button

    def show(self, h: History) -> dict:
        """Updates of the components."""
        undo, redo = (gr.update(interactive=bool(texts)) for texts in (h.past, h.future))
        return {self.history: h, self.cells: h.now, self.undo: undo, self.redo: redo}


def _wire(tab: Tab, steps: _Steps, buttons: dict, applied: list, filled: gr.HTML) -> None:
    """Let every event update all at once: the cells, what is shown of them, and the code."""
    c, shown = tab.controls, [tab.views[0], tab.code]
    (edited, _, _, _, matrix, _), (codes,) = tab.views[0].outputs, tab.views[2].outputs
    places = [c[name] for name in _RECTANGLE]
    inputs = {*tab.components, steps.history, matrix}
    outputs = [*steps.show(History()), *places, c["code"], c["seed"], filled]
    outputs += [box for view in shown for box in view.outputs]
    first_place = sorted(box._id for box in inputs).index(places[0]._id)  # Gradio hands a set over in this order
    # the chosen cells as the page's last click has them, which the server may not have answered yet
    chosen = f"if (window.chosenCells) values.splice({first_place}, {len(places)}, ...window.chosenCells);"

    def on(
        event: Callable, does: Callable, script: str = chosen, step: Callable[[History], History] = lambda h: h,
        fills: str | None = "",
    ):  # fmt: skip
        """``fills`` names an action: if it has proposals, they are shown and the first is taken; None leaves them."""

        @explained
        def listen(values: dict, data: gr.EventData) -> dict:
            # cells as the history has them: quicker than the page, when clicks follow one another
            h = step(values[steps.history])
            before = replace(tab.collected(values), cells=h.now)
            proposed = completion.proposals(before, fills) if fills in explore.FILLS else []
            s = proposed[0].settings if proposed else does(before, values, data)
            drawn = {box: part for view in shown for box, part in zip(view.outputs, view.draw(s), strict=True)}
            numbers = {**_numbers(c, s), c["code"]: s.code, c["seed"]: s.seed}
            if fills is not None:
                drawn[filled] = proposals(proposed) if proposed else ""
            return {**steps.show(h.did(s.cells)), **numbers, **drawn}

        event(listen, inputs, outputs, js=f"(...values) => {{ {script} return values; }}", **CLICKS)

    def keep(s: Recombination, values: dict, data: gr.EventData) -> Recombination:
        return s

    def pick(s: Recombination, values: dict, data: gr.EventData) -> Recombination:
        code = whole("code", sent(data, "code"), 0, s.config.num_codes - 1)
        return explore.edited(replace(s, code=code), "put")

    def take(s: Recombination, values: dict, data: gr.EventData) -> Recombination:
        return replace(s, cells=sent(data, "cells"))

    for action, button in buttons.items():
        on(button.click, lambda s, values, data, action=action: explore.edited(s, action), fills=action)
    on(filled.select, take, fills=None)
    on(edited.select, keep)
    on(codes.select, pick)
    on(steps.undo.click, keep, step=History.undone)
    on(steps.redo.click, keep, step=History.redone)
    on(partial(gr.on, applied), lambda s, values, data: replace(s, cells=values[matrix]), script="")
    on(partial(gr.on, [box.release for box in places]), keep, script="window.chosenCells = null;")
