"""The originals: what a picture was before any model, where that is known."""

from functools import lru_cache

import torch
from safetensors.torch import load_file

from ..hub import find_files
from . import starts
from .exhibits import SAMPLES_FILE, exhibit


def original(model: str, token: str) -> torch.Tensor | None:
    """The image (C, H, W) in [0, 1] that a start was made from, as the model is given it.

    Args:
        model: a shipped model.
        token: the start; see ``starts``.

    Returns:
        None for a random draw, which never was an image, and for samples whose images may not be shown (CelebA).

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
    return images[int(rest)].float() / 255


@lru_cache(maxsize=16)
def _images(model: str) -> torch.Tensor | None:
    """The samples' images (B, C, H, W) uint8."""
    return load_file(find_files(model, (SAMPLES_FILE,))[0]).get("images")
