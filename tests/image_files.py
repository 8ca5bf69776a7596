"""Pictures with known content, and files of them in memory."""

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
