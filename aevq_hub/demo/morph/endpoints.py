"""The tab Morph's functions for programs."""

from typing import Literal

from ..shared.endpoints import PARAMETERS, documented, drawn
from ..shared.events import File, answer
from . import compute
from .settings import Morph

_described = documented({
    **PARAMETERS,
    "second": "the picture at the end of the way, named like the start.",
    "steps": "pictures on the way, both ends counted, from 2 to 17.",
    "mode": "lerp (a straight line between the latents) or slerp (along the arc).",
})  # fmt: skip
_Mode = Literal["lerp", "slerp"]


@_described
def interpolate(
    model: str = Morph.model, start: str = "sample:0", second: str = "sample:1", steps: int = 9, mode: _Mode = "lerp"
) -> File:
    """Walk from one picture's latent to another's and draw every step.

    Returns:
        A PNG of the pictures in a row.
    """
    return drawn(compute.strip(Morph(model=model, start=start, second=second, steps=steps, mode=mode)))


@_described
def interpolation_animation(
    model: str = Morph.model, start: str = "sample:0", second: str = "sample:1", mode: _Mode = "lerp"
) -> File:
    """Animate the way from one picture's latent to another's and back.

    Returns:
        An animated WebP.
    """
    s = Morph(model=model, start=start, second=second, mode=mode)
    return answer(compute.animation(s), "animation.webp")


@_described
def four_corners(
    model: str = Morph.model,
    start: str = "sample:0",
    second: str = "sample:1",
    third: str = "sample:2",
    fourth: str = "sample:3",
) -> File:
    """Draw a sheet with four pictures at its corners and interpolations between them.

    Args:
        second: the picture in the upper right corner, named like the start, which is in the upper left one.
        third: the picture in the lower left corner.
        fourth: the picture in the lower right corner.

    Returns:
        A PNG of the sheet.
    """
    s = Morph(model=model, start=start, second=second, third=third, fourth=fourth)
    return drawn(compute.four_corners(s))


ENDPOINTS = (interpolate, interpolation_animation, four_corners)
