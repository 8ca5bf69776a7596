"""The original images that starts were made from, where they are known."""

from functools import lru_cache

import torch
from PIL import Image

from .. import folder
from ..model import AEVQ
from . import starts
from .exhibits import exhibit


def original(model: str, token: str) -> torch.Tensor | None:
    """The image (C, H, W) in [0, 1] that a start was made from, in the model's size.

    Args:
        model: a shipped model.
        token: the start; see ``starts``.

    Returns:
        None for a random draw, which has no original, and for samples whose images must not be shown (CelebA).

    Raises:
        ValueError: malformed, no such sample, or the image is no longer here.
    """
    kind, _, rest = starts.checked("start", token).partition(":")
    if kind == "random":
        return None
    if kind == "image":
        own = starts.brought(token)
        return exhibit(model).model.preprocess(own.image, invert=own.invert)[0]
    images = _images(model)
    if images is None:
        return None
    if int(rest) >= len(images):
        raise ValueError(f"There is no {token}; choose from sample:0 to sample:{len(images) - 1}.")
    return images[int(rest)]


_images = lru_cache(maxsize=16)(folder.sample_images)


def picture(settings) -> Image.Image | None:
    """The original of a tab's start, in the model's size; None if it is unknown or must not be shown."""
    x = original(settings.model, settings.start)
    return None if x is None else AEVQ.to_pil(x[None])[0]
