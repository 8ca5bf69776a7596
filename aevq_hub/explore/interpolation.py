"""The interpolation tab (figures 2.2, 2.4): a strip and an animation between two latents, a sheet between four."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from .. import latent, pictures
from . import starts
from .exhibits import exhibit, of_data_set, offers
from .settings import Settings, one_of, option, whole

CORNERS = ("start", "end", "third", "fourth")
SIDE = 7  # pictures along a side of the sheet
FRAMES = 24  # of the animation, one way
FRAME_SIDE = 224  # pixels
FRAME_MILLISECONDS = 70
HELD_MILLISECONDS = 500  # at the two ends


@dataclass(frozen=True)
class Interpolation(Settings):
    """The tab's settings. The four pictures are starts (see ``starts``) and the corners of the sheet."""

    start: str = option("sample:0", starts.checked)  # where the way begins; the upper left corner
    end: str = option("sample:1", starts.checked)  # where it ends; the upper right corner
    third: str = option("sample:2", starts.checked)  # the lower left corner
    fourth: str = option("sample:3", starts.checked)  # the lower right corner
    steps: int = option(9, whole, low=2, high=17)  # pictures on the way, including both ends
    mode: str = option(latent.MODES[0], one_of, choices=latent.MODES)  # a straight line, or along the arc
    # another model of the same data set, whose way between the same pictures is shown below; empty for none
    other: str = option("", one_of, choices=lambda s: ["", *others(s.model)])


def others(model: str) -> list[str]:
    """The other models of the same data set."""
    return [name for name in of_data_set(offers()[model].config.dataset) if name != model]


def corner(settings: Interpolation, which: str) -> Image.Image:
    """One of the four pictures as the model draws it, in the model's size."""
    return starts.drawn(exhibit(settings.model), getattr(settings, which))


def strip(settings: Interpolation, by: str = "") -> Image.Image:
    """The pictures on the way, left to right.

    Args:
        settings: of the tab.
        by: another model that draws the way between the same pictures.

    Raises:
        ValueError: a start is not a sample, or its image is no longer here.
    """
    shown, drawn_by = exhibit(by or settings.model), exhibit(settings.model)
    z1, z2 = (starts.latent(shown, token, drawn_by)[None] for token in (settings.start, settings.end))
    return pictures.interpolation(shown.model, z1, z2, settings.steps, settings.mode)


def other_strip(settings: Interpolation) -> Image.Image | None:
    """The way between the same two pictures through the other model; None if none is chosen."""
    return strip(settings, settings.other) if settings.other else None


def four_corners(settings: Interpolation) -> Image.Image:
    """A sheet with the four pictures at its corners, and linear interpolations between them."""
    shown = exhibit(settings.model)
    corners = [starts.latent(shown, getattr(settings, which)) for which in CORNERS]
    between = latent.bilinear(*corners, rows=SIDE, columns=SIDE)  # (R, S, …)
    return pictures.sheet(shown.model.render(between.flatten(0, 1)).unflatten(0, (SIDE, SIDE)), cell=56)


def animation(settings: Interpolation) -> bytes:
    """The way there and back as a lossless animated WebP, enlarged without blur."""
    shown = exhibit(settings.model)
    z1, z2 = (starts.latent(shown, token) for token in (settings.start, settings.end))
    path = latent.interpolate(z1, z2, FRAMES, settings.mode, dim=-3 if z1.ndim == 3 else -1)
    images = shown.model.to_pil(shown.model.render(path))
    frames = [pictures.enlarge(image, FRAME_SIDE).convert("RGB") for image in images]
    frames += frames[-2:0:-1]
    held = [HELD_MILLISECONDS if i in (0, FRAMES - 1) else FRAME_MILLISECONDS for i in range(len(frames))]
    file = BytesIO()
    frames[0].save(
        file, "WEBP", save_all=True, append_images=frames[1:], duration=held, loop=0, lossless=True, method=0, quality=0
    )
    return file.getvalue()
