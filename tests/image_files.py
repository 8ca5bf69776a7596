"""Pictures with known content, files of them in memory, and how far two pictures are apart."""

import io

import numpy as np
from PIL import Image


def half_bright(mode: str) -> Image.Image:
    """An image with a dark left and a bright right half, in one of Pillow's modes."""
    grey = np.zeros((40, 40), np.uint8)
    grey[:, 20:] = 255
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(grey.astype(np.int32) * 257)
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) / 255)
    return Image.fromarray(grey).convert(mode)


def file_of(image: Image.Image, format: str = "PNG", **options) -> io.BytesIO:
    """The file of an image, in memory."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file


def apart(one: Image.Image, other: Image.Image) -> int:
    """The largest difference between the values, 0 to 255, of two pictures of equal size."""
    assert one.size == other.size and one.mode == other.mode
    return int(abs(np.asarray(one, int) - np.asarray(other, int)).max())
