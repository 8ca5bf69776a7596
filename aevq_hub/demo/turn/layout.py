"""The layout of the tab Turn: a picture, and sliders that shift its latent."""

from dataclasses import replace

import gradio as gr

from ..shared import originals
from ..shared.events import CLICKS, sent, titled
from ..shared.html import figure
from ..shared.settings import whole
from ..shared.tab import INSIDE, Page, Tab, View, fold, part, python
from . import compute, html
from .curve import curves
from .endpoints import ENDPOINTS
from .settings import STEPS, Turn
from .snippet import code

__all__ = ["ENDPOINTS", "ID", "SAYS", "SETTINGS", "TITLE", "VERB", "build"]
ID, TITLE, SETTINGS, VERB = "turn", "Turn", Turn, "turn them"
SAYS = "The model keeps only these numbers of a picture and renders it from them. Move a slider to change them."
_UNITS = {"std": "σ (standard deviations of the training latents)", "raw": "raw units, as in the paper"}
_REACHES = {3: "typical, ±3", 15: "wide, ±15", 300: "extreme, ±300"}


def _start(s: Turn) -> list[str]:
    hint = ", ".join(filter(None, (originals.origin(s.model, s.start), "click a cell to choose it" * bool(s.cell))))
    picture, alt = originals.shown(s.model, s.start), f"picture A, {s.start}"
    return [figure(picture, "Input", alt, hint=hint, cells=s.config.grid_size, cell=s.cell)]


def _result(s: Turn) -> list[str]:
    moved = [f"{ends[0]} to {ends[1]} by {a:+g}" for ends, a in zip(s.ends, s.mixed, strict=True) if a]
    number = f"number {s.rank} shifted by {s.shift:+g}" if s.shift else ""
    alt = f"{s.start} after shifting {', '.join([*moved, *filter(None, [number])]) or 'nothing'}, by {s.model}"
    shown = figure(compute.picture(s), "Result", alt, hint=number, download=f"{s.model}-turn.png")
    return [shown + html.meter(compute.unusual(s))]


def _opening(s: Turn) -> str:
    """The result as the page opens: it moves, until a slider is touched."""
    alt = f"{s.start}, moving to and fro along the first direction, by {s.model}"
    moving, still, file = compute.moving(s), compute.picture(s), f"{s.model}-turn.webp"
    shown = figure(moving, "Result", alt, hint="what the first slider does", still=still, download=file)
    return shown + html.meter(compute.unusual(s))


def _strip(s: Turn) -> list[str]:
    return [html.strip(compute.strip(s), s.way)]


def _sliders(s: Turn) -> dict:
    return gr.update(value={"mix": s.mix, "way": s.way, "basis": s.basis}, inside=html.sliders(s))


def _tiles(s: Turn) -> list:
    return [gr.update(inside=html.tiles(compute.tiles(s), s) + html.download(compute.sheet(s), s.model))]


def _curve(s: Turn) -> list:
    raw = compute.raw_in_std(s)
    unit = "σ" if s.unit == "std" else f"raw units of {raw:.3g} σ"
    alone = not s.mix and not s.way
    return [gr.update(inside=curves(compute.curve(s), s.shift, unit, alone=alone))]


def build(page: Page) -> Tab:
    """Lay the tab out and wire it."""
    first = Turn(model=Turn.first())
    with gr.Tab(TITLE, id=ID) as tab:
        with gr.Row(elem_classes=["stage"]):
            # the sliders are first for the keyboard, and last on the screen
            value = {"mix": "", "way": 0, "basis": first.basis}
            knobs = part("knobs", "knobs.js", "group.js", value=value, template=INSIDE, inside=html.sliders(first))
            start = part("start", "grid.js", value=_start(first)[0])
            result = part("result", value=_opening(first))
        strip = part("strip", "strip.js", "group.js", value=_strip(first)[0])
        sheet = fold("Every slider at several shifts (figure 3.2)", "sheet", "tiles.js", "group.js")
        controls, cell_row, curve = _advanced(first)
        code_shown = python(code(first))

        def fill(s: Turn) -> dict:
            size, cell = s.config.grid_size, s.cell or (-1, -1)
            places = zip((controls["row"], controls["column"]), cell, strict=True)
            scale = {"minimum": -s.limit, "maximum": s.limit, "step": STEPS[s.limit]}
            return {
                knobs: _sliders(s),
                controls["shift"]: gr.update(value=s.shift, **scale),
                controls["rank"]: gr.update(maximum=s.config.latent_dim, value=s.rank),
                cell_row: gr.update(visible=size > 0),
                **{box: gr.update(minimum=min(1, size), maximum=max(size, 1), value=at + 1) for box, at in places},
            }

        views = [
            View(_start, [start]), View(_result, [result]), View(_strip, [strip]),
            View(_tiles, [sheet], fold=sheet), View(_curve, [curve], fold=curve),
        ]  # fmt: skip
        parts = {knobs: ("mix", "way", "basis")}
        result_tab = Tab(tab, page, Turn, controls, views, code, code_shown, fill, parts, (VERB, SAYS))
    _wire(result_tab, knobs)
    return result_tab


def _advanced(first: Turn) -> tuple[dict, gr.Row, gr.HTML]:
    controls: dict = {}
    with gr.Accordion("Advanced: units, range, any single number", open=False, elem_id="advanced"):
        with gr.Row():
            controls["unit"] = gr.Radio(titled(_UNITS), value=first.unit, label="Shifts are in", elem_id="unit")
            controls["reach"] = gr.Radio(titled(_REACHES), value=first.reach, label="Range", elem_id="reach")
        with gr.Row():
            controls["rank"] = gr.Slider(
                1, first.config.latent_dim, 1, step=1, label="Which number (1 = strongest effect)", elem_id="rank",
                buttons=[],
            )  # fmt: skip
            controls["shift"] = gr.Slider(
                -first.limit, first.limit, 0, step=STEPS[first.limit], label="Shift of that number", elem_id="shift",
                buttons=["reset"],
            )  # fmt: skip
        with gr.Row(visible=False) as cell_row:
            for name in ("row", "column"):
                controls[name] = gr.Slider(
                    0, 8, 0, step=1, label=f"{name.title()} of the cell", elem_id=name, buttons=[], min_width=120
                )
        curve = fold("How far the picture and its latent move", "curve")
    return controls, cell_row, curve


def _wire(tab: Tab, knobs: gr.HTML) -> None:
    c, (start, result, _, sheet, curve) = tab.controls, tab.views
    tab.on([knobs.input], [result])
    tab.on([c["rank"].input, c["shift"].input, c["shift"].release], [result, curve])
    reset = lambda s, values, data: replace(s, mix="", way=0.0, shift=0.0)  # noqa: E731
    tab.on([knobs.clear], None, reset, lane=CLICKS)
    same = lambda s, values, data: s  # noqa: E731
    tab.on([knobs.select, c["unit"].input, c["reach"].input], None, same, lane=CLICKS)
    tab.on([c["row"].release, c["column"].release], None)
    tab.on([sheet.outputs[0].expand], [sheet])
    tab.on([curve.outputs[0].expand], [curve])

    def choose_cell(s: Turn, values: dict, data: gr.EventData) -> Turn:
        size = s.config.grid_size
        return replace(s, **{name: whole(name, sent(data, name), 1, size) for name in ("row", "column")})

    def choose_tile(s: Turn, values: dict, data: gr.EventData) -> Turn:
        mixed = s.mixed
        mixed[whole("column", sent(data, "column"), 0, s.sliders - 1)] = sent(data, "shift")
        return replace(s, mix=",".join(f"{amount}" for amount in mixed))

    tab.on([start.outputs[0].select], None, choose_cell, lane=CLICKS)
    tab.on([sheet.outputs[0].select], [result], choose_tile, lane=CLICKS)
