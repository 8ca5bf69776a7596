"""The interpolation tab: paths between two pictures, and a sheet between four."""

import gradio as gr

from .. import latent
from ..explore import interpolation as explore
from ..explore import offers, snippets
from ..explore.interpolation import CORNERS, Interpolation
from .chooser import Chooser
from .parts import LONG, Picker, Tab, View, answer, figure, png, titled

ID, TITLE, SETTINGS = "interpolation", "Interpolation", Interpolation
_PLACES = {"start": "Start", "end": "End", "third": "Third corner", "fourth": "Fourth corner"}
_MODES = {"lerp": "straight line (lerp)", "slerp": "along the arc (slerp)"}


def interpolate(
    model: str = Interpolation.model, start: str = "sample:0", end: str = "sample:1", steps: int = 9, mode: str = "lerp"
) -> dict:
    """Walk from one picture's latent to another's and draw every step.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: where to begin: sample:N (a sample's number), random:N (a seed) or image:… (what `bring` answered).
        end: where to end, likewise.
        steps: pictures on the way, both ends counted, 2 to 17.
        mode: lerp (a straight line) or slerp (along the arc).

    Returns:
        A PNG of the pictures in a row.
    """
    return answer(png(explore.strip(Interpolation(model, start, end, steps=steps, mode=mode))))


def interpolation_animation(
    model: str = Interpolation.model, start: str = "sample:0", end: str = "sample:1", mode: str = "lerp"
) -> dict:
    """Animate the way from one picture's latent to another's and back.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: where to begin: sample:N, random:N or image:….
        end: where to turn, likewise.
        mode: lerp (a straight line) or slerp (along the arc).

    Returns:
        An animated WebP.
    """
    return answer(explore.animation(Interpolation(model, start, end, mode=mode)), "animation.webp")


def four_corners(
    model: str = Interpolation.model,
    start: str = "sample:0",
    end: str = "sample:1",
    third: str = "sample:2",
    fourth: str = "sample:3",
) -> dict:
    """Draw a sheet with four pictures at its corners and interpolations between them.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: the upper left corner: sample:N, random:N or image:….
        end: the upper right corner.
        third: the lower left corner.
        fourth: the lower right corner.

    Returns:
        A PNG of the sheet.
    """
    return answer(png(explore.four_corners(Interpolation(model, start, end, third, fourth))))


ENDPOINTS = (interpolate, interpolation_animation, four_corners)


def _draw_corners(s: Interpolation) -> list[str]:
    starts = {which: f"{_PLACES[which].lower()}, {getattr(s, which)}, as {s.model} draws it" for which in CORNERS}
    return [figure(explore.corner(s, which), _PLACES[which], alt) for which, alt in starts.items()]


def _draw_strip(settings: Interpolation) -> list[str]:
    way = _MODES[settings.mode]
    alt = f"{settings.steps} pictures by {settings.model} on the way from {settings.start} to {settings.end}, {way}"
    file = f"{settings.model}-interpolation.png"
    return [figure(explore.strip(settings), "From start to end", alt, hint=way, download=file, least=480)]


def _draw_other(settings: Interpolation) -> list[str]:
    strip = explore.other_strip(settings)
    if strip is None:
        return [""]
    variant = offers()[settings.other].variant
    alt = f"the same way by {settings.other}, from {settings.start} to {settings.end}"
    return [figure(strip, f"The same pair: {variant}", alt, download=f"{settings.other}-interpolation.png", least=480)]


def _draw_sheet(s: Interpolation) -> list[str]:
    alt, file = f"a sheet of pictures by {s.model}, between four at its corners", f"{s.model}-corners.png"
    return [figure(explore.four_corners(s), "Between four corners", alt, hint="bilinear", download=file)]


def _draw_still(settings: Interpolation) -> list[str]:
    alt = "the start; press Play to see it move"
    return [figure(explore.corner(settings, "start"), "There and back", alt, hint="press Play")]


def _draw_animation(settings: Interpolation) -> list[str]:
    alt = f"a moving picture: from {settings.start} to {settings.end} and back, by {settings.model}"
    file = f"{settings.model}-interpolation.webp"
    return [figure(explore.animation(settings), "There and back", alt, download=file)]


def _others(model: str) -> list[tuple[str, str]]:
    return [("none", ""), *((offers()[name].variant, name) for name in explore.others(model))]


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Interpolation(model=Interpolation.first())
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "Walk from one picture to another through the latents between them (*interpolation*, figures 2.2 and 2.4), "
            "and let the model draw every step of the way."
        )
        with gr.Row():
            picker, chooser = Picker(ID, Interpolation), Chooser(ID, _PLACES, first)
        with gr.Row(elem_classes=["four"]):
            corners = []
            for which in CORNERS:
                with gr.Column(min_width=120):
                    corners.append(gr.HTML(elem_id=f"corner_{which}", min_height=150))
                    chooser.tokens[which].render()
        with gr.Row():
            steps = gr.Slider(
                2, 17, value=9, step=1, label="Steps", info="both ends counted", elem_id="steps", buttons=[]
            )
            mode = gr.Radio(titled(_MODES), value=latent.MODES[0], label="Way", elem_id="mode")
            other = gr.Dropdown(
                _others(first.model), value="", label="Compare with", info="another variant, the same two pictures",
                elem_id="other", filterable=False,
            )  # fmt: skip
        strip = gr.HTML(elem_id="strip", min_height=110)
        other_strip = gr.HTML(elem_id="other_strip")
        with gr.Row():
            with gr.Column(min_width=300, scale=2):
                sheet = gr.HTML(elem_id="corners", min_height=300)
            with gr.Column(min_width=220):
                animation = gr.HTML(elem_id="animation", min_height=270)
                with gr.Row():
                    play, stop = (
                        gr.Button(title, elem_id=title.lower(), min_width=80, size="sm") for title in ("Play", "Stop")
                    )

        strip_view, other_view = View(_draw_strip, [strip]), View(_draw_other, [other_strip])
        still_view = View(_draw_still, [animation], LONG)
        views = [View(_draw_corners, corners), strip_view, other_view, View(_draw_sheet, [sheet]), still_view]
        controls = {"model": picker.model, **chooser.tokens, "steps": steps, "mode": mode, "other": other}
        fills = [picker.fill, chooser.fill, lambda s: {other: gr.update(choices=_others(s.model), value=s.other)}]
        result = Tab(tab, Interpolation, controls, views, snippets.interpolation, fills)
    result.change_model([*CORNERS, "steps", "mode"], picker)
    chooser.wire(lambda event: result.redraw(event, views))
    result.redraw_on([steps.input, mode.input], [strip_view, other_view, still_view])
    result.redraw_on([other.input], [other_view])
    result.redraw_on([play.click], [View(_draw_animation, [animation], LONG)])
    result.redraw_on([stop.click], [still_view])
    return result
