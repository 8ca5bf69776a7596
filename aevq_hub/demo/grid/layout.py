"""The layout of the tab Grid: an editor for the cells of a picture's grid."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

import gradio as gr

from ..shared.events import CLICKS, sent
from ..shared.settings import whole
from ..shared.tab import INSIDE, Page, Tab, View, fold, part, python
from . import completion, compute, html
from .cells import History
from .endpoints import ENDPOINTS
from .settings import Grid
from .snippet import code
from .tiles import palette, proposals

__all__ = ["ENDPOINTS", "ID", "SAYS", "SETTINGS", "TITLE", "VERB", "build"]
ID, TITLE, SETTINGS, VERB = "grid", "Grid", Grid, "swap them"
SAYS = "The picture is a grid of vectors, one for each cell. Replace some of them."
_CHOSEN = ("row", "column", "to_row", "to_column")
_FED = {
    "encoder": "This decoder was trained on **unquantised vectors**, which lie near the codes. An edit replaces single "
    "cells by codes (figure 4.8); the matrix marks the others with ~: ~17 is a vector near code 17. *Quantise all* "
    "puts the nearest code into every cell (figure 4.4).",
    "codebook": "This decoder was trained on **the codes themselves**: the picture is its matrix.",
}
_NO_PRIOR = "This model has no prior: cells are filled by how often each code occurs in their place."
_BUTTONS = {
    "paste": "Paste from B", "keep": "Restore cells", "fill": "Fill these cells", "fill_rest": "Fill the rest",
    "seam": "Blend the edge", "draw": "Generate a grid",
}  # fmt: skip
_MORE = {
    "broadcast": "This code everywhere", "zeros": "Only this code", "quantise": "Quantise all",
    "share": "Random codes in a share", "random": "Random grid",
}  # fmt: skip


class _Edits:
    """A visitor's edits. The server keeps them, for clicks may follow one another before the page has the answer."""

    def __init__(self, history: History):
        self.history, self.lock, self.version = history, Lock(), 0

    def __deepcopy__(self, memo) -> "_Edits":
        return _Edits(self.history)  # a new visitor's


class _Tab(Tab[Grid]):
    """The tab, whose edits are those of one model."""

    def values(self, components: dict, model: str = "") -> dict:
        """As those of every tab, but edits of another model count for nothing."""
        found = super().values(components, model)
        (editor,) = self.parts
        value = components[editor] if isinstance(components[editor], dict) else {}
        if value.get("of") != self.settings.fitted({"model": model or found.get("model")})[0].model:
            for name in ("cells", *_CHOSEN):
                found.pop(name, None)
        return found


def _editor(s: Grid) -> list:
    corners = dict(zip(_CHOSEN, (place + 1 for corner in s.corners for place in corner), strict=True))
    value = {"of": s.model, "cells": s.cells, **corners}
    return [gr.update(value=value, inside=html.editor(s)), html.status(s)]


def _effects(s: Grid) -> list:
    return [gr.update(inside=html.effects(s))]


def _matrix(s: Grid) -> list[str]:
    return [compute.matrix_text(s), html.csv(s)]


def _palette(s: Grid) -> list[str]:
    return [palette(compute.palette(s.model))]


def build(page: Page) -> Tab:
    """Lay the tab out and wire it."""
    first = Grid(model=Grid.first())
    controls, buttons = {}, {}
    with gr.Tab(TITLE, id=ID) as tab:
        with gr.Row(elem_classes=["stage"]):
            with gr.Column(min_width=300, scale=5):
                editor = part("editor", "cells.js", "group.js", value={}, template=INSIDE, inside="")
                said = part("grid_status")
            with gr.Column(min_width=280, scale=3):
                _actions(buttons)
                filled = part("proposals", "proposals.js", "group.js")
                gr.Markdown("**Codes**, the most used first: click one to put it into the chosen cells")
                codes = part("palette", "palette.js", "group.js")
        fed = gr.Markdown(elem_id="fed")
        effects = fold("What the edit changed, and which cells are unusual", "effects")
        matrix, csv = _advanced(first, controls, buttons)
        edits = gr.State(_Edits(History()))
        code_shown = python(code(first))

        def fill(s: Grid) -> dict:
            (shown, status) = _editor(s)
            undo = {buttons[name]: gr.update(interactive=False) for name in ("undo", "redo")}
            return {
                editor: shown, said: status, edits: _Edits(History(now=s.cells)), filled: "", **undo,
                fed: _FED[s.config.feed] + ("" if s.config.prior_blocks else f"\n\n{_NO_PRIOR}"),
                controls["code"]: gr.update(maximum=s.config.num_codes - 1, value=s.code),
            }  # fmt: skip

        views = [
            View(_editor, [editor, said]), View(_effects, [effects], fold=effects), View(_matrix, [matrix, csv]),
            View(_palette, [codes]),
        ]  # fmt: skip
        parts = {editor: ("cells", *_CHOSEN)}
        result = _Tab(tab, page, Grid, controls, views, code, code_shown, fill, parts, (VERB, SAYS))
    _wire(result, edits, buttons, filled, matrix)
    result.on([effects.expand], [views[1]])
    return result


def _actions(buttons: dict) -> None:
    with gr.Row():
        for name in ("undo", "redo", "reset"):
            buttons[name] = gr.Button(name.title(), size="sm", elem_id=name, min_width=70, interactive=name == "reset")
    with gr.Row():
        for name, title in _BUTTONS.items():
            buttons[name] = gr.Button(title, size="sm", elem_id=f"do_{name}", min_width=130)


def _advanced(first: Grid, controls: dict, buttons: dict) -> tuple[gr.Textbox, gr.HTML]:
    with gr.Accordion("Advanced: whole grids, the index matrix", open=False, elem_id="grid_advanced"):
        with gr.Row():
            controls["code"] = gr.Slider(
                0, first.config.num_codes - 1, 0, step=1, label="Code", elem_id="code", buttons=[], min_width=160
            )
            controls["share"] = gr.Slider(
                0, 1, first.share, step=0.05, label="Share", elem_id="share", buttons=[], min_width=120
            )
            controls["seed"] = gr.Number(
                0, label="Seed of the next draw", precision=0, minimum=0, elem_id="seed", min_width=120
            )
        with gr.Row():
            for name, title in {"put": "Put the code in", **_MORE}.items():
                buttons[name] = gr.Button(title, size="sm", elem_id=f"do_{name}", min_width=130)
        matrix = gr.Textbox(
            label="Index matrix", lines=first.config.grid_size, max_lines=16, buttons=["copy"], elem_id="matrix",
            elem_classes=["matrix"], info="copy it, or edit or paste one and apply it",
        )  # fmt: skip
        with gr.Row(equal_height=True):
            buttons["apply"] = gr.Button("Apply the matrix", size="sm", elem_id="apply", min_width=120, scale=0)
            csv = part("csv")
    return matrix, csv


def _wire(tab: _Tab, edits: gr.State, buttons: dict, filled: gr.HTML, matrix: gr.Textbox) -> None:
    """Let every event answer with all at once: the editor, what is shown of it, and the code."""
    c, (editor_view, effects_view, matrix_view, palette_view) = tab.controls, tab.views
    views, undo, redo = [editor_view, effects_view, matrix_view], buttons["undo"], buttons["redo"]
    shown = [box for view in views for box in view.outputs]
    outputs = [*shown, undo, redo, c["code"], c["seed"], filled, tab.code_shown, tab.page.address, tab.page.problem]

    def on(event: Callable, does: Callable, step: Callable[[History], History] = lambda h: h, fills: str = "") -> None:
        """``fills`` names an action: if it has proposals, they are shown and the first is taken."""

        def listen(components: dict, data: gr.EventData) -> dict:
            kept: _Edits = components[edits]
            with kept.lock:
                h = step(kept.history)
                before = replace(tab.collected(components), cells=h.now)
                proposed = completion.proposals(before, fills) if fills in compute.FILLS else []
                s = proposed[0].settings if proposed else does(before, components, data)
                kept.history = h = h.did(s.cells)
                kept.version += 1
                version = kept.version
            steps = {undo: gr.update(interactive=bool(h.past)), redo: gr.update(interactive=bool(h.future))}
            offered = {} if does is take else {filled: proposals(proposed) if proposed else ""}
            drawn = tab.drawn(s, components, views)
            drawn[editor_view.outputs[0]]["value"]["version"] = version
            return {**drawn, **steps, **offered, c["code"]: s.code, c["seed"]: s.seed}

        event(tab.page.answered(listen), {*tab.components, edits, matrix}, outputs, **CLICKS)

    def keep(s: Grid, components: dict, data: gr.EventData) -> Grid:
        return s

    def pick(s: Grid, components: dict, data: gr.EventData) -> Grid:
        chosen = whole("code", sent(data, "code"), 0, s.config.num_codes - 1)
        return compute.edited(replace(s, code=chosen), "put")

    def take(s: Grid, components: dict, data: gr.EventData) -> Grid:
        return replace(s, cells=sent(data, "cells"))

    def apply(s: Grid, components: dict, data: gr.EventData) -> Grid:
        return replace(s, cells=components[matrix])

    for action in compute.ACTIONS:
        on(buttons[action].click, lambda s, _, data, action=action: compute.edited(s, action), fills=action)
    on(filled.select, take)
    on(editor_view.outputs[0].select, keep)
    on(palette_view.outputs[0].select, pick)
    on(undo.click, keep, step=History.undone)
    on(redo.click, keep, step=History.redone)
    on(buttons["apply"].click, apply)
    on(matrix.submit, apply)
