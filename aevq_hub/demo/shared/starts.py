"""Pictures to start from, each named by a text: ``sample:3``, ``random:17``, ``vector:0``, ``image:0123456789abcdef``.

The text is the same on the page, in links and for programs, and is valid for every model: a shipped sample of the data
set, a draw from the model's sampler with a seed, a learnable vector, or an uploaded image.
"""

import base64
import binascii
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock, Semaphore
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image

from ... import pictures
from ...checks import one_of
from ...images import FORMATS, flattened
from ...model import AEVQ
from .exhibits import Exhibit, exhibit, with_vectors
from .settings import short, token

MAX_PIXELS = 50_000_000  # of an image: what a phone's camera makes, and no more
MAX_BYTES = 10_000_000  # of its file
KEPT_SIDE = 256  # an image is kept no larger than this: four times what any model takes
MOST_KEPT = 500  # images, 200 kB each at most
INVERT = ("auto", "yes", "no")  # whether models of grey pictures get an image with dark and bright swapped
_UNREADABLE = "The file cannot be read as an image; please bring a PNG, JPEG or WebP."
Image.init()  # Pillow knows a few formats only, until all are asked for
_decoding = Semaphore(1)  # one large image in memory at a time


@dataclass(frozen=True)
class Brought:
    """An uploaded image: its centred square, mode L or RGB."""

    image: Image.Image
    on_paper: bool  # whether it is dark on a bright ground: models of grey pictures get it with the two swapped

    def prepared(self, model: AEVQ) -> torch.Tensor:
        """The image (1, C, H, W) in [0, 1] as a model takes it."""
        return model.preprocess(self.image, invert=self.inverted(model.config.channels))

    def inverted(self, channels: int) -> bool:
        """Whether a model of so many channels gets it with dark and bright swapped."""
        return self.on_paper and channels == 1


class _Store:
    """The last uploaded images, by the hash of their content."""

    def __init__(self, most: int):
        self._most, self._lock, self._kept = most, Lock(), OrderedDict()

    def put(self, brought: Brought) -> str:
        image = brought.image
        content = f"{image.mode} {image.size} {brought.on_paper} ".encode() + image.tobytes()
        key = hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            self._kept[key] = brought
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return key

    def get(self, key: str) -> Brought | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)


_store = _Store(MOST_KEPT)


def bring(file: str | Path | BinaryIO, invert: str = "auto") -> str:
    """Read an uploaded image file and keep a small copy.

    Args:
        file: the file.
        invert: whether models of grey pictures get it with dark and bright swapped: one of ``INVERT``; ``auto`` if its
            border is bright.

    Returns:
        the start, ``image:`` and 16 hexadecimal digits.

    Raises:
        ValueError: the file cannot be read as an image, or has more than 50 million pixels.
    """
    one_of("invert", invert, INVERT)
    image = _decoded(file)
    return f"image:{_store.put(Brought(image, _has_bright_border(image) if invert == 'auto' else invert == 'yes'))}"


def bring_data(data: str, invert: str = "auto") -> str:
    """As :func:`bring`, for a file as text: base64, or a ``data:`` URL.

    Raises:
        ValueError: the text is not base64, longer than 10 MB, or not an image.
    """
    if not isinstance(data, str):
        raise ValueError(f"the image is {short(data)}; give its file as base64 text.")
    if len(data) > MAX_BYTES * 4 // 3 + 100:
        raise ValueError("The image's file is too large; please bring one of at most 10 MB.")
    try:
        content = base64.b64decode(data.partition(",")[2] if data.startswith("data:") else data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the image is {short(data)}; give its file as base64 text.") from error
    return bring(BytesIO(content), invert)


def is_here(start: str) -> bool:
    """Whether the image of a start ``image:…`` is still here."""
    try:
        brought(start)
    except ValueError:
        return False
    return True


def brought(start: str) -> Brought:
    """The image of a start ``image:…``.

    Raises:
        ValueError: it is not such a start, or the image is no longer here.
    """
    kept = _store.get(token("start", start).partition(":")[2])
    if kept is None:
        raise ValueError(f"The image of {start} is no longer here; please bring it again.")
    return kept


def latent(shown: Exhibit, start: str, drawn_by: Exhibit | None = None) -> torch.Tensor:
    """The latent (D,) or grid (D, h, w) of a start for a model.

    Args:
        shown: the model.
        start: the start.
        drawn_by: for ``random:N`` and ``vector:N``, the model whose draw or vector it is; its picture is then encoded
            by ``shown``, since these are another picture for every model. A model without vectors gets one of another
            model of its data set in this way.

    Raises:
        ValueError: malformed, no such sample, or the image is no longer here.
    """
    start = token("start", start)
    kind, _, rest = start.partition(":")
    if kind == "sample":
        if int(rest) >= len(shown.z):
            raise ValueError(f"There is no {start}; choose from sample:0 to sample:{len(shown.z) - 1}.")
        return shown.z[int(rest)]
    if kind in ("random", "vector"):
        maker = drawn_by or shown
        if kind == "random":
            z = maker.model.sample_latents(1, seed=int(rest))
        else:
            maker = maker if maker.model.config.num_codes else exhibit(with_vectors(maker.name))
            z = _vector(maker, int(rest))
        return (z if maker is shown else shown.model.encode(maker.model.render(z)))[0]
    return shown.model.encode(brought(start).prepared(shown.model))[0]


def _vector(shown: Exhibit, index: int) -> torch.Tensor:
    """A learnable vector (1, D), or in all cells of a grid (1, D, h, w)."""
    vectors = shown.model.vectors
    if index >= len(vectors):
        raise ValueError(f"{shown.name} has no vector:{index}; choose from vector:0 to vector:{len(vectors) - 1}.")
    return pictures.filled(shown.model, vectors[index : index + 1])


def rendered(shown: Exhibit, start: str) -> Image.Image:
    """The picture of a start as the model renders it, in the model's size; raises as :func:`latent`."""
    return shown.model.to_pil(shown.model.render(latent(shown, start)[None]))[0]


def _decoded(file: str | Path | BinaryIO) -> Image.Image:
    """An image file's centred square, at most 256 pixels a side, mode L or RGB."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width * height <= MAX_PIXELS:
                with _decoding:
                    image.draft(image.mode, (KEPT_SIDE * 2, KEPT_SIDE * 2))  # a JPEG is decoded smaller
                    return _small_square(flattened(_thinned(image)))
    except Exception as error:  # a file may be made to break its decoder in any way
        raise ValueError(_UNREADABLE) from error
    raise ValueError(f"The image has {width} × {height} pixels; please bring one of at most 50 megapixels.")


def _has_bright_border(image: Image.Image) -> bool:
    pixels = np.asarray(image.convert("L"))
    return bool(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])) > 127)


def _thinned(image: Image.Image) -> Image.Image:
    """An image with more than 8 bits, with fewer pixels: they are converted one by one, which takes memory."""
    step = min(image.size) // (4 * KEPT_SIDE)
    if step < 2 or not image.mode.startswith(("I", "F")):
        return image
    return image.resize((image.width // step, image.height // step), Image.Resampling.NEAREST)


def _small_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return image.resize((KEPT_SIDE, KEPT_SIDE), Image.Resampling.BOX) if side > KEPT_SIDE else image
