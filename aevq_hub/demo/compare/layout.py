"""The layout of the tab Compare: a picture through every variant of its data set."""

import html

import gradio as gr

from ...model import AEVQ
from ...registry import VARIANTS
from ..shared import originals
from ..shared.exhibits import history, in_short, offers
from ..shared.html import figure
from ..shared.tab import Page, Tab, View, part, python
from . import compute
from .compute import Row
from .endpoints import ENDPOINTS
from .settings import FARTHEST, STEPS, Compare
from .snippet import code

__all__ = ["ENDPOINTS", "ID", "SAYS", "SETTINGS", "TITLE", "VERB", "build"]
ID, TITLE, SETTINGS, VERB = "compare", "Compare", Compare, "through every model"
SAYS = "The same pictures through every model, from continuous to discrete."


def _inputs(s: Compare) -> list[str]:
    """Both pictures before any model of the ladder."""
    shown = [
        figure(originals.shown(s.model, start), f"Picture {letter}", f"picture {letter}, {start}",
               hint=originals.origin(s.model, start))
        for letter, start in (("A", s.start), ("B", s.second))
    ]  # fmt: skip
    return [f'<div class="inputs">{"".join(shown)}</div>']


def _rows(s: Compare) -> list[str]:
    rows = [_row(s, row) for row in compute.rows(s)]
    return rows + [""] * (len(VARIANTS) - len(rows))


def _row(s: Compare, row: Row) -> str:
    offer = offers()[row.model]
    amount, over, measured = f"{s.shift:+g} σ", "", {"mse": row.error, "psnr": row.psnr}
    if row.error is None:
        over, measured = "over the test images ", history(row.model)["results"]
    way = f"{STEPS} steps from {s.start} to {s.second}, by {row.model}"
    reconstruction, shifted = (AEVQ.to_pil(x[None])[0] for x in (row.reconstruction, row.shifted))
    shown = [
        figure(reconstruction, "Reconstruction", f"{s.start} by {row.model}"),
        figure(shifted, "Shifted", f"the same, shifted by {amount}", hint=amount),
        figure(compute.strip(row), "Morph", way, hint="from A to B"),
    ]
    return (
        f'<article class="rung" aria-label="{html.escape(offer.variant)}"><div><h3><button type="button" '
        f'data-model="{row.model}">{html.escape(offer.short)}</button></h3>'
        f"<p>{html.escape(offer.variant)}. {html.escape(in_short(VARIANTS[offer.config.variant].summary))}</p>"
        f'<p class="error">Mean squared error {over}{measured["mse"]:.4f} (PSNR {measured["psnr"]:.1f} dB)</p></div>'
        f"{''.join(shown)}</article>"
    )


def build(page: Page) -> Tab:
    """Lay the tab out and wire it."""
    first = Compare(model=Compare.first())
    with gr.Tab(TITLE, id=ID) as tab:
        shift = gr.Slider(
            -FARTHEST, FARTHEST, first.shift, step=0.5, label="Shift of each model's strongest number (σ)",
            elem_id="compare_shift", buttons=["reset"],
        )  # fmt: skip
        inputs = part("compare_inputs")
        rows = [part(f"rung_{i + 1}", "rung.js", classes="rung-of") for i in range(len(VARIANTS))]
        views = [View(_inputs, [inputs]), View(_rows, rows)]
        result = Tab(tab, page, Compare, {"shift": shift}, views, code, python(code(first)), words=(VERB, SAYS))
    result.on([shift.release], views[1:])
    return result
