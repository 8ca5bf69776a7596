"""HTML of the tab Turn: sliders, the strip to the second picture, the meter, and the sheet."""

import html
import math

from PIL import Image

from ..shared.html import data_url, option
from .settings import BASES, STEPS, Turn

_BASES = dict(zip(BASES, ("Directions", "Single numbers"), strict=True))
_TYPICAL, _FARTHEST = 1.5, 16  # distances: up to the first a latent is typical; the second is the meter's end


def sliders(settings: Turn) -> str:
    """The sliders, each with a word at either end, and the one that leads to the second picture."""
    limit, buttons = settings.limit, []
    for basis, title in _BASES.items():
        chosen = basis == settings.basis
        buttons.append(option(f'data-basis="{basis}"', title, chosen, chosen))
    rows = "".join(
        _slider(f'data-name="mix" data-place="{i}"', ends, -limit, limit, STEPS[limit], amount)
        for i, (ends, amount) in enumerate(zip(settings.ends, settings.mixed, strict=True))
    )
    way = _slider('data-name="way"', ("Picture A", "picture B"), 0, 1, 0.01, settings.way)
    unit = "σ" if settings.unit == "std" else "raw units"
    return (
        f'<div class="knobs"><div class="sliders">{rows}{way}</div><div class="head"><div role="radiogroup" '
        f'aria-label="Sliders move">{"".join(buttons)}</div><small>±{limit} {unit}</small>'
        '<button type="button" data-reset>Reset</button></div></div>'
    )


def _slider(data: str, ends: tuple[str, str], low: float, high: float, step: float, value: float) -> str:
    left, right = map(html.escape, ends)
    said = f"{left} to {right}" if right else left
    limits = f'{data} min="{low:g}" max="{high:g}" value="{value:g}"'
    return (
        f'<div class="knob"><span>{left}</span><span>{right}</span>'
        f'<input type="range" {limits} step="{step:g}" aria-label="{said}">'
        f'<input type="number" {limits} step="any" aria-label="{said}, as a number"></div>'
    )


def meter(distance: float | None) -> str:
    """How unusual a latent is, on a logarithmic scale; nothing for grids."""
    if distance is None:
        return ""
    word = "typical" if distance <= _TYPICAL else "unusual" if distance <= 2 * _TYPICAL else "far from all images"
    share = min(max(math.log(max(distance, 0.5) / 0.5) / math.log(_FARTHEST / 0.5), 0), 1)
    said = f"How unusual are these numbers? {distance:.1f} times the typical distance from the training images: {word}."
    return (
        f'<div class="meter" role="img" aria-label="{said}" title="{said}"><span>like the data</span>'
        f'<i style="--share:{share:.3f}"></i><span>unlike</span><b>{distance:.1f} × typical</b></div>'
    )


def strip(images: list[Image.Image], way: float) -> str:
    """The pictures on the way to the second one as buttons."""
    last = len(images) - 1
    nearest = round(way * last)
    buttons = "".join(
        option(f'data-way="{i / last:.3f}"', f'<img src="{data_url(image)}" alt="">', i == nearest, i == nearest,
               f"{i / last:.0%} of the way from A to B", role="button")
        for i, image in enumerate(images)
    )  # fmt: skip
    return f'<div class="strip" role="group" aria-label="The way from picture A to picture B">{buttons}</div>'


def tiles(images: list[list[Image.Image]], settings: Turn) -> str:
    """The sheet as buttons: each sets its column's slider to its row's shift."""
    columns = [" – ".join(filter(None, ends)) for ends in settings.ends]
    head = "".join(f"<span>{html.escape(column)}</span>" for column in columns)
    rows = ""
    for r, (amount, row) in enumerate(zip(settings.figure, images, strict=True)):
        rows += f"<span>{amount:+g}</span>" + "".join(
            option(f'data-column="{c}" data-shift="{amount:g}"', f'<img src="{data_url(image)}" alt="">', False,
                   r == c == 0, f"{columns[c]}: {amount:+g}", role="button")
            for c, image in enumerate(row)
        )  # fmt: skip
    unit = "σ" if settings.unit == "std" else "raw units"
    said = f"Shifts in {unit} (rows) of each slider (columns); arrow keys go from one to the next"
    return (
        f'<div class="sheet" role="group" aria-label="{said}" style="--columns:{len(columns)}"><span>{unit}</span>'
        f"{head}{rows}</div>"
    )


def download(sheet: Image.Image, model: str) -> str:
    """A link to the sheet as a file."""
    name = f"{html.escape(model)}-sheet.png"
    return f'<p class="said-of"><a download="{name}" href="{data_url(sheet)}">Download the sheet of ten columns</a></p>'
