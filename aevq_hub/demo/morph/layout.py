"""The layout of the tab Morph: the way between two pictures, and a sheet between four."""

import gradio as gr

from ..shared import originals
from ..shared.events import CLICKS, titled
from ..shared.exhibits import offers
from ..shared.html import figure
from ..shared.tab import Page, Tab, View, fold, part, python
from . import compute
from .endpoints import ENDPOINTS
from .settings import Morph, others
from .snippet import code

__all__ = ["ENDPOINTS", "ID", "SAYS", "SETTINGS", "TITLE", "VERB", "build"]
ID, TITLE, SETTINGS, VERB = "morph", "Morph", Morph, "walk to another"
SAYS = "Every step between the latents of A and B is rendered."
_MODES = {"lerp": "straight line", "slerp": "arc (slerp)"}


def _strip(s: Morph) -> list[str]:
    alt = f"{s.steps} pictures by {s.model} on the way from {s.start} to {s.second}, {_MODES[s.mode]}"
    return [
        figure(compute.strip(s), "From A to B", alt, hint=_MODES[s.mode], download=f"{s.model}-morph.png", least=480)
    ]


def _other(s: Morph) -> list[str]:
    strip = compute.other_strip(s)
    if strip is None:
        return [""]
    alt, file = f"the same way by {s.other}, from {s.start} to {s.second}", f"{s.other}-morph.png"
    return [figure(strip, f"The same way: {offers()[s.other].short}", alt, download=file, least=480)]


def _animation(s: Morph) -> list[str]:
    alt, file = f"a moving picture: from {s.start} to {s.second} and back, by {s.model}", f"{s.model}-morph.webp"
    moving, still = compute.animation(s), compute.corner(s, "start")
    return [figure(moving, "There and back", alt, still=still, download=file)]


def _corners(s: Morph) -> list:
    alt, file = f"a sheet of pictures by {s.model}, between four at its corners", f"{s.model}-corners.png"
    sheet = figure(compute.four_corners(s), "Between four corners", alt, hint="bilinear", download=file)
    return [gr.update(inside=sheet)]


def _others(model: str) -> list[tuple[str, str]]:
    return [("none", ""), *((offers()[name].short, name) for name in others(model))]


def _samples(s: Morph) -> list[str]:
    return [f"sample:{i}" for i in range(len(originals.samples(s.config.dataset)))]


def build(page: Page) -> Tab:
    """Lay the tab out and wire it."""
    first = Morph(model=Morph.first())
    controls: dict = {}
    with gr.Tab(TITLE, id=ID) as tab:
        with gr.Row(elem_classes=["stage"]):
            animation = part("animation")
            with gr.Column(elem_classes=["beside"]):
                strip, other_strip = part("path"), part("other_path")
                with gr.Row():
                    controls["steps"] = gr.Slider(
                        2, 17, first.steps, step=1, label="Pictures", elem_id="steps", buttons=[], min_width=160
                    )
                    controls["mode"] = gr.Radio(
                        titled(_MODES), value=first.mode, label="Way", elem_id="mode", min_width=200
                    )
                controls["other"] = gr.Dropdown(
                    _others(first.model), value="", label="Compare with the same way of", elem_id="other",
                    filterable=False,
                )  # fmt: skip
        sheet = fold("Between four pictures", "corners")
        with gr.Accordion("Advanced: the other two corners", open=False, elem_id="morph_advanced"), gr.Row():
            for name in ("third", "fourth"):
                controls[name] = gr.Dropdown(
                    _samples(first), value=getattr(first, name), label=f"{name.title()} corner", elem_id=name,
                    info="a sample, or a seed such as random:17", allow_custom_value=True,
                )  # fmt: skip
        code_shown = python(code(first))

        def fill(s: Morph) -> dict:
            named = {
                controls[name]: gr.update(choices=_samples(s), value=getattr(s, name)) for name in ("third", "fourth")
            }
            return {controls["other"]: gr.update(choices=_others(s.model), value=s.other), **named}

        views = [
            View(_animation, [animation]), View(_strip, [strip]), View(_other, [other_strip]),
            View(_corners, [sheet], fold=sheet),
        ]  # fmt: skip
        result = Tab(tab, page, Morph, controls, views, code, code_shown, fill, words=(VERB, SAYS))
    moving, path, other, corners = views
    result.on([controls["steps"].input], [path, other])
    result.on([controls["mode"].input], [moving, path, other], lane=CLICKS)
    result.on([controls["other"].input], [other], lane=CLICKS)
    result.on([sheet.expand, controls["third"].input, controls["fourth"].input], [corners], lane=CLICKS)
    return result
