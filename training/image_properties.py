"""Properties of images that people have words for, each one number per image: what directions are named after.

Left and right are those of the picture. Functions take images (N, C, H, W) in [0, 1] and return (N,).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

TINY = 1e-6  # instead of a division by zero, in an image without ink


@dataclass(frozen=True)
class Property:
    """A number that ``measure`` takes from images, and the words for its low and for its high end."""

    low: str
    high: str
    measure: Callable[[Tensor], Tensor]


def brightness(x: Tensor) -> Tensor:
    """The mean of all pixels."""
    return x.mean((1, 2, 3))


def contrast(x: Tensor) -> Tensor:
    """The standard deviation of the grey pixels."""
    return _grey(x).flatten(1).std(1, correction=0)


def side(x: Tensor) -> Tensor:
    """How much brighter the right half is than the left one."""
    half = x.shape[3] // 2
    return brightness(x[..., -half:]) - brightness(x[..., :half])


def above(x: Tensor) -> Tensor:
    """How much brighter the upper half is than the lower one."""
    return side(x.transpose(2, 3).flip(3))


def warmth(x: Tensor) -> Tensor:
    """How much more red than blue there is."""
    return (x[:, 0] - x[:, 2]).mean((1, 2))


def middle(x: Tensor) -> Tensor:
    """The brightness of the middle, a quarter of the side wide and high."""
    return _box(x, 24, 40, 24, 40)


def stroke(x: Tensor) -> Tensor:
    """The width of strokes in pixels: a long one has two contours, so it is twice the ink over their length."""
    grey = _grey(x)
    contours = grey.diff(dim=1).abs().sum((1, 2)) + grey.diff(dim=2).abs().sum((1, 2))
    return 2 * grey.sum((1, 2)) / contours.clamp_min(TINY)


def width(x: Tensor) -> Tensor:
    """The standard deviation of the ink's horizontal position, in sides of the image."""
    return _moments(x)[0].sqrt()


def height(x: Tensor) -> Tensor:
    """The standard deviation of the ink's vertical position, in sides of the image."""
    return _moments(x)[1].sqrt()


def slant(x: Tensor) -> Tensor:
    """How far the ink shifts to the right per step upwards."""
    _, vertical, both = _moments(x)
    return -both / vertical.clamp_min(TINY)


def symmetry(x: Tensor) -> Tensor:
    """Minus the difference from the mirror image, relative to the ink."""
    return -(x - x.flip(3)).abs().mean((1, 2, 3)) / brightness(x).clamp_min(TINY)


def background(x: Tensor) -> Tensor:
    """How much brighter the left, right and upper borders are than the whole picture."""
    return (_box(x, 0, 40, 0, 6) + _box(x, 0, 40, 58, 64) + _box(x, 0, 5, 0, 64)) / 3 - brightness(x)


def background_side(x: Tensor) -> Tensor:
    """How much brighter the right border is than the left one."""
    return _box(x, 0, 64, 56, 64) - _box(x, 0, 64, 0, 8)


def face(x: Tensor) -> Tensor:
    """The brightness of an aligned face."""
    return _box(x, 20, 54, 22, 42)


def hair(x: Tensor) -> Tensor:
    """How much brighter the hair above an aligned face is than the face."""
    return _box(x, 4, 12, 22, 42) - face(x)


def forehead(x: Tensor) -> Tensor:
    """How much brighter the forehead of an aligned face is than its lower half: hair and hats are darker than skin."""
    return _box(x, 12, 20, 24, 40) - _box(x, 36, 52, 22, 42)


def turn(x: Tensor) -> Tensor:
    """How much brighter the right cheek of an aligned face is than the left one: one that is turned away is hidden."""
    return _box(x, 24, 52, 36, 48) - _box(x, 24, 52, 16, 28)


def _box(x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """The brightness of a part of images whose sides are 64 units long, whatever their number of pixels."""
    rows, columns = (
        slice(start * n // 64, max(end * n // 64, start * n // 64 + 1))
        for (start, end), n in zip(((top, bottom), (left, right)), x.shape[2:], strict=True)
    )
    return brightness(x[..., rows, columns])


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The variances of the ink's horizontal and vertical positions and their covariance, in sides of the image."""
    ink = _grey(x)
    ink = ink / ink.sum((1, 2), keepdim=True).clamp_min(TINY)  # (N, H, W)
    right, down = torch.linspace(0, 1, x.shape[3]), torch.linspace(0, 1, x.shape[2])[:, None]
    right = right - (ink * right).sum((1, 2), keepdim=True)  # from the centre of mass: (N, 1, W)
    down = down - (ink * down).sum((1, 2), keepdim=True)  # (N, H, 1)
    return (ink * right**2).sum((1, 2)), (ink * down**2).sum((1, 2)), (ink * right * down).sum((1, 2))


def _grey(x: Tensor) -> Tensor:
    return x.mean(1)  # (N, H, W)


GENERAL = (
    Property("dark", "light", brightness),
    Property("low contrast", "high contrast", contrast),
    Property("bright on the left", "bright on the right", side),
    Property("bright below", "bright above", above),
)
COLOURED = (Property("cool colours", "warm colours", warmth),)
SHAPED = (
    Property("narrow", "wide", width),
    Property("short", "tall", height),
    Property("dim in the middle", "bright in the middle", middle),
)
OF_DATASET = {
    "mnist": (
        *SHAPED,
        Property("little ink", "much ink", brightness),
        Property("thin strokes", "bold strokes", stroke),
        Property("leaning left", "leaning right", slant),
        Property("heavy on the left", "heavy on the right", side),
        Property("heavy below", "heavy above", above),
    ),
    "fashionmnist": (*SHAPED, *GENERAL, Property("asymmetric", "symmetric", symmetry)),
    "celeba": (
        *GENERAL[:2],
        GENERAL[3],
        *COLOURED,
        Property("dark background", "light background", background),
        Property("bright on the left", "bright on the right", background_side),
        Property("face in shadow", "face in light", face),
        Property("dark hair", "light hair", hair),
        Property("covered forehead", "bare forehead", forehead),
        Property("facing right", "facing left", turn),
    ),
}
# the words for "no" and "yes" of attributes; those that judge people, or name their origin, are left out
ATTRIBUTES = {
    "Bangs": ("no fringe", "fringe"),
    "Black_Hair": ("hair not black", "black hair"),
    "Blond_Hair": ("hair not blond", "blond hair"),
    "Eyeglasses": ("no glasses", "glasses"),
    "Gray_Hair": ("hair not grey", "grey hair"),
    "Heavy_Makeup": ("no make-up", "make-up"),
    "Male": ("female", "male"),
    "Mouth_Slightly_Open": ("mouth closed", "mouth open"),
    "No_Beard": ("beard", "no beard"),
    "Smiling": ("not smiling", "smiling"),
    "Wavy_Hair": ("hair not wavy", "wavy hair"),
    "Wearing_Hat": ("no hat", "hat"),
    "Wearing_Lipstick": ("no lipstick", "lipstick"),
    "Young": ("older", "younger"),
}


def properties(dataset: str, channels: int) -> tuple[Property, ...]:
    """The properties of a data set's images; for your own images, those of any picture."""
    return OF_DATASET.get(dataset, GENERAL + (COLOURED if channels == 3 else ()))
