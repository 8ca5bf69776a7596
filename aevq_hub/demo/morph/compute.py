"""What the tab Morph shows (figures 2.2, 2.4): a strip and an animation between two latents, a sheet between four."""

from PIL import Image

from ... import latent, pictures
from ..shared import starts
from ..shared.animation import webp
from ..shared.exhibits import exhibit
from .settings import CORNERS, Morph

SIDE, CELL = 7, 56  # pictures along a side of the sheet, and the pixels along a side of each
FRAMES = 24  # of the animation, one way
FRAME_MILLISECONDS = 70
HELD_MILLISECONDS = 500  # at the two ends


def corner(settings: Morph, which: str) -> Image.Image:
    """One of the four pictures as the model draws it, in the model's size."""
    return starts.rendered(exhibit(settings.model), getattr(settings, which))


def strip(settings: Morph, by: str = "") -> Image.Image:
    """The pictures on the way, left to right.

    Args:
        settings: of the tab.
        by: another model that draws the way between the same pictures.

    Raises:
        ValueError: a start is not a sample, or its image is no longer here.
    """
    shown, drawn_by = exhibit(by or settings.model), exhibit(settings.model)
    z1, z2 = (starts.latent(shown, token, drawn_by)[None] for token in (settings.start, settings.second))
    return pictures.interpolation(shown.model, z1, z2, settings.steps, settings.mode)


def other_strip(settings: Morph) -> Image.Image | None:
    """The way between the same two pictures through the other model; None if none is chosen."""
    return strip(settings, settings.other) if settings.other else None


def four_corners(settings: Morph) -> Image.Image:
    """A sheet with the four pictures at its corners, and linear interpolations between them."""
    shown = exhibit(settings.model)
    corners = [starts.latent(shown, getattr(settings, which)) for which in CORNERS]
    between = latent.bilinear(*corners, rows=SIDE, columns=SIDE)  # (R, S, …)
    return pictures.sheet(shown.model.render(between.flatten(0, 1)).unflatten(0, (SIDE, SIDE)), cell=CELL)


def animation(settings: Morph) -> bytes:
    """The way there and back as a lossless animated WebP, enlarged without blur."""
    shown = exhibit(settings.model)
    z1, z2 = (starts.latent(shown, token) for token in (settings.start, settings.second))
    path = latent.interpolate(z1, z2, FRAMES, settings.mode, dim=-3 if z1.ndim == 3 else -1)
    images = shown.model.to_pil(shown.model.render(path))
    images += images[-2:0:-1]
    return webp(images, [HELD_MILLISECONDS if i in (0, FRAMES - 1) else FRAME_MILLISECONDS for i in range(len(images))])
