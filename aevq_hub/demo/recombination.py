"""The grid recombination tab: codes of a grid replaced by hand, all at once, or by those of another picture."""

import base64
import html
from dataclasses import replace

import gradio as gr

from ..explore import recombination as explore
from ..explore import snippets
from ..explore.cells import History
from ..explore.recombination import Recombination
from ..explore.settings import whole
from .chooser import Chooser
from .parts import CLICKS, Picker, Tab, View, explained, figure, sent
from .recombination_endpoints import ENDPOINTS
from .tiles import CELLS_SCRIPT, PALETTE_SCRIPT, cells, palette

__all__ = ["ENDPOINTS", "ID", "SETTINGS", "TITLE", "build"]
ID, TITLE, SETTINGS = "recombination", "Grid recombination", Recombination
_PLACES = {"start": "Picture", "second": "Second picture"}
_RECTANGLE = {"row": "Row", "column": "Column", "to_row": "… to row", "to_column": "… to column"}
# the chosen cells as the page's last click has them, which the server may not have answered yet
_CHOSEN = "(...values) => { if (window.chosenCells) values.splice(%d, %d, ...window.chosenCells); return values; }"
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
_BUTTONS = {
    "cells": [("paste", "Paste from the second picture"), ("keep", "Give back its own")],
    "all": [("broadcast", "This code everywhere"), ("zeros", "This code among zeros"), ("quantise", "Quantise all")],
    "draws": [("share", "Replace a share at random"), ("random", "Random grid")],
}


def _draw_known(s: Recombination) -> list[str]:
    """The picture without edits, and the second one."""
    before = explore.original(s)
    if before is None:
        shown = "<p class='said-of'><b>Original</b><br>It is not at hand.</p>"
        if s.start.startswith("sample"):
            shown = "<p class='said-of'><b>Original</b><br>Not shown: the data set's terms do not allow it.</p>"
    else:
        shown = figure(before, "Original", f"the original of {s.start}")
    fed = {"encoder": "from the encoder's vectors, D(E(x))", "codebook": "from its codes"}[s.config.feed]
    second = figure(explore.direct(s, "second"), "Second picture", f"{s.second}, as {s.model} draws it")
    return [
        shown,
        figure(explore.direct(s), "Direct", f"{s.start} drawn {fed}", hint=fed),
        figure(explore.quantised(s), "Quantised", f"{s.start} drawn from its codes alone", hint="from its codes"),
        second,
    ]


def _draw_edited(s: Recombination) -> list:
    near, edited, chosen = explore.indices(s), explore.is_edited(s), s.chosen
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
    what = f"Row {top + 1}, column {left + 1}: {said(top, left)}."
    if len(chosen) > 1:
        what = f"{len(chosen)} cells, rows {top + 1} to {bottom + 1}, columns {left + 1} to {right + 1}."
    table = base64.b64encode(explore.csv(s).encode()).decode()
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
        f'<p class="said-of" role="status"><b>Chosen:</b> {html.escape(what)}<br>{changed}</p>',
        explore.matrix_text(s),
        f'<p class="said-of"><a download="{s.model}-indices.csv" href="data:text/csv;base64,{table}">'
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
            with gr.Column(min_width=300):
                picker = Picker(ID, Recombination)
                fed = gr.Markdown(_FED[first.config.feed], elem_id="fed")
            with gr.Column(min_width=300):
                chooser = Chooser(ID, _PLACES, first)
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
                    edited = gr.HTML(elem_id="edited", js_on_load=CELLS_SCRIPT, min_height=160)
                    change = gr.HTML(elem_id="change", min_height=160)
                said = gr.HTML(elem_id="recombination_status", min_height=48)
                with gr.Row():
                    undo, redo, reset = (
                        gr.Button(title, size="sm", elem_id=title.lower(), min_width=90, interactive=title == "Reset")
                        for title in ("Undo", "Redo", "Reset")
                    )
            with gr.Column(min_width=300, scale=5):
                gr.Markdown("**Codes**, the most used first; click one to put it into the chosen cells")
                codes = gr.HTML(elem_id="palette", js_on_load=PALETTE_SCRIPT, min_height=200)
                with gr.Row():
                    code = gr.Slider(
                        0, first.config.num_codes - 1, 0, step=1, label="Code", elem_id="put_code", buttons=[], scale=3,
                        min_width=160,
                    )  # fmt: skip
                    put = gr.Button("Put it in", size="sm", elem_id="put", min_width=90)
        buttons = {"put": put, "reset": reset}

        def row_of(names: str) -> None:
            for action, title in _BUTTONS[names]:
                buttons[action] = gr.Button(title, size="sm", elem_id=f"do_{action}", min_width=120)

        with gr.Row():
            with gr.Column(min_width=300):
                gr.Markdown("**The chosen cells**")
                with gr.Row():
                    row_of("cells")
                gr.Markdown("**The whole grid**")
                with gr.Row():
                    row_of("all")
                gr.Markdown("**By chance**")
                with gr.Row():
                    share = gr.Slider(
                        0, 1, 0.3, step=0.05, label="Share", elem_id="replaced_share", buttons=[], min_width=120
                    )
                    seed = gr.Number(
                        0, label="Seed", info="of the next draw; it counts on", precision=0, minimum=0,
                        elem_id="draw_seed", min_width=120,
                    )  # fmt: skip
                with gr.Row():
                    row_of("draws")
                with gr.Accordion("Choose cells by their numbers", open=False, elem_id="by_numbers"), gr.Row():
                    places = [
                        gr.Slider(
                            1,
                            size,
                            size // 2 + 1,
                            step=1,
                            label=label,
                            buttons=[],
                            min_width=120,
                            elem_id=f"{ID}_{name}",
                        )
                        for name, label in _RECTANGLE.items()
                    ]
            with gr.Column(min_width=300):
                matrix = gr.Textbox(
                    label="Index matrix", lines=size, max_lines=16, buttons=["copy"], elem_id="matrix",
                    elem_classes=["matrix"], info="copy it, or edit or paste one and apply it",
                )  # fmt: skip
                with gr.Row(equal_height=True):
                    apply = gr.Button("Apply the matrix", size="sm", elem_id="apply", min_width=120, scale=0)
                    csv = gr.HTML(elem_id="csv")
        text = gr.Textbox(visible="hidden", elem_id="cells")
        history = gr.State(History())

        controls = {
            "model": picker.model, **chooser.tokens, "cells": text, **dict(zip(_RECTANGLE, places, strict=True)),
            "code": code, "share": share, "seed": seed,
        }  # fmt: skip

        def numbers(s: Recombination) -> dict:
            """The rectangle as its four sliders have it, its first corner where it was begun."""
            (r, c), (to_r, to_c) = s.corners
            return dict(zip(places, (r + 1, c + 1, to_r + 1, to_c + 1), strict=True))

        def steps(s: Recombination, h: History) -> dict:
            return {
                history: h,
                text: h.now,
                undo: gr.Button(interactive=bool(h.past)),
                redo: gr.Button(interactive=bool(h.future)),
            }

        def fill(s: Recombination) -> dict:
            return {
                **picker.fill(s),
                **chooser.fill(s),
                **{box: gr.Slider(maximum=s.config.grid_size, value=at) for box, at in numbers(s).items()},
                **steps(s, History(now=s.cells)),
                fed: _FED[s.config.feed],
                code: gr.Slider(maximum=s.config.num_codes - 1, value=s.code),
                share: s.share,
                seed: s.seed,
            }

        known_view = View(_draw_known, known)
        edited_view = View(_draw_edited, [edited, change, said, matrix, csv])
        palette_view = View(_draw_palette, [codes])
        result = Tab(ID, tab, Recombination, controls, fill, [edited_view, known_view, palette_view])
        result.end(snippets.recombination)

    stepped = [history, text, undo, redo]
    result.outputs = [*picker.outputs, *chooser.outputs, *places, *stepped, fed, code, share, seed]
    result.change_model(picker, ["start", "second"])
    chooser.wire(lambda event: result.redraw(event, [edited_view, known_view]))
    changed = [*stepped, *places, code, seed, *edited_view.outputs, *result.code.outputs]

    def show(s: Recombination, h: History) -> dict:
        views = zip((*edited_view.outputs, *result.code.outputs), (*_draw_edited(s), *result.code.draw(s)), strict=True)
        return {**steps(s, h), **numbers(s), code: s.code, seed: s.seed, **dict(views)}

    def present(h: History, *values) -> Recombination:
        """The settings, with cells as the history has them: quicker than the page, when clicks follow one another."""
        return replace(result.collected(*values), cells=h.now)

    places_chosen = _CHOSEN % (1 + result.components.index(places[0]), len(places))

    def on(event, does) -> None:
        """When something was done, all at once: the cells, what is shown of them, and the code.

        Args:
            event: what is listened to.
            does: from settings, history and what came with the event to new settings and history.
        """

        @explained
        def listen(data: gr.EventData, h, *values):
            return show(*does(present(h, *values), h, data))

        event(listen, [history, *result.components], changed, js=places_chosen, **CLICKS)

    def acting(action: str):
        def does(s, h, data):
            after = explore.edited(s, action)
            return after, h.did(after.cells)

        return does

    def choose(s, h, data):
        return s, h

    def pick(s, h, data):
        return acting("put")(replace(s, code=whole("code", sent(data, "code"), 0, s.config.num_codes - 1)), h, data)

    def step(forward: bool):
        def does(s, h, data):
            h = h.redone() if forward else h.undone()
            return replace(s, cells=h.now), h

        return does

    for action, button in buttons.items():
        on(button.click, acting(action))
    on(edited.select, choose)
    on(codes.select, pick)
    on(undo.click, step(False))
    on(redo.click, step(True))

    @explained
    def applied(h, typed, *values):
        s = replace(present(h, *values), cells=typed)
        return show(s, h.did(s.cells))

    @explained
    def numbered(h, *values):
        return show(present(h, *values), h)

    gr.on([apply.click, matrix.submit], applied, [history, matrix, *result.components], changed, **CLICKS)
    forgetting = "(...values) => { window.chosenCells = null; return values; }"
    gr.on([box.release for box in places], numbered, [history, *result.components], changed, js=forgetting, **CLICKS)
    return result
