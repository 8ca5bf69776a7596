"""The original images that starts were made from, where they are known."""

from functools import lru_cache

import torch
from PIL import Image

from ... import folder
from ...model import AEVQ
from . import starts
from .exhibits import best, exhibit, offers
from .settings import token


def original(model: str, start: str) -> torch.Tensor | None:
    """The image (C, H, W) in [0, 1] that a start was made from, in the model's size.

    Args:
        model: a shipped model.
        start: the start; see ``starts``.

    Returns:
        None for a random draw and a vector, which have no original, and for samples whose images must not be shown
        (CelebA).

    Raises:
        ValueError: malformed, no such sample, or the image is no longer here.
    """
    kind, _, rest = token("start", start).partition(":")
    if kind in ("random", "vector"):
        return None
    if kind == "image":
        return starts.brought(start).prepared(exhibit(model).model)[0]
    images = _images(model)
    if images is None:
        return None
    if int(rest) >= len(images):
        raise ValueError(f"There is no {start}; choose from sample:0 to sample:{len(images) - 1}.")
    return images[int(rest)]


_images = lru_cache(maxsize=16)(folder.sample_images)


def picture(settings) -> Image.Image | None:
    """The original of a tab's start, in the model's size; None if it is unknown or must not be shown."""
    x = original(settings.model, settings.start)
    return None if x is None else AEVQ.to_pil(x[None])[0]


@lru_cache(maxsize=16)
def samples(dataset: str) -> list[Image.Image]:
    """The samples of a data set: the images, or as the best model renders them where they must not be shown."""
    model = best(dataset)
    images = _images(model)
    if images is not None:
        return AEVQ.to_pil(images)
    shown = exhibit(model)
    return shown.model.to_pil(shown.model.render(shown.z))


def origin(model: str, start: str) -> str:
    """What the picture of :func:`shown` is if it is no original, in a few words; empty if it is one.

    Raises:
        ValueError: malformed, or the image is no longer here.
    """
    kind = token("start", start).partition(":")[0]
    if kind == "sample" and _images(model) is None:
        return f"rendered by {offers()[best(offers()[model].config.dataset)].short}"
    return {"random": "generated", "vector": "a learnable vector"}.get(kind, "")


def shown(model: str, start: str) -> Image.Image:
    """A start as a picture that may be shown: the original if there is one, else as a model renders it.

    Raises:
        ValueError: malformed, or the image is no longer here.
    """
    kind, _, rest = token("start", start).partition(":")
    if kind == "sample":
        known = samples(offers()[model].config.dataset)
        return known[int(rest) % len(known)]
    x = original(model, start)
    return starts.rendered(exhibit(model), start) if x is None else AEVQ.to_pil(x[None])[0]
