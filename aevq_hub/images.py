"""Conversion between PIL images, arrays and tensors."""

from contextlib import suppress

import numpy as np
import torch
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # no others: some decoders start programs


def to_array(image: Image.Image, size: int, channels: int, crop: float = 1.0) -> np.ndarray:
    """Any PIL image → uint8 (C, size, size).

    EXIF rotation is applied, transparency becomes white, 16-bit and float greys are scaled to 8 bits, and an animation
    is represented by its first frame. The central square is cropped and resized with antialiasing.

    Args:
        image: the image, in any mode.
        size: height and width of the result in pixels.
        channels: 1 (grey) or 3 (RGB).
        crop: the side of the square as a fraction of the shorter side, in (0, 1].
    """
    image = flattened(image).convert("L" if channels == 1 else "RGB")
    side = max(1, round(min(image.size) * crop))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))  # before resizing, so no other pixel is mixed in
    image = image.resize((size, size), Image.Resampling.BILINEAR)  # Pillow widens the kernel: antialiased
    pixels = np.array(image)  # (H, W) or (H, W, 3)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def flattened(image: Image.Image) -> Image.Image:
    """Any PIL image → mode L or RGB, upright, with transparency as white and 16-bit values scaled to 8 bits."""
    image.load()  # an image that is damaged is not taken for one with damaged EXIF data
    with suppress(Exception):  # what Pillow raises for damaged EXIF data varies; the pixels are fine
        image = ImageOps.exif_transpose(image)
    image = _eight_bit(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale greys of 16 or 32 bits to 8. PIL's own conversion would clip them at 255."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    if image.mode.startswith("I;16"):
        top = 65535.0
    else:  # modes I and F do not define white
        top = next(top for top in (1.0, 255.0, 65535.0) if values.max() <= top or top == 65535.0)
    return Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))


def to_pil(x: torch.Tensor) -> list[Image.Image]:
    """Images (B, C, H, W) in [0, 1] → B PIL images of mode L (C = 1) or RGB (C = 3). Other values are clipped.

    Raises:
        ValueError: another shape.
    """
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"x has the shape {tuple(x.shape)}; give (B, 1, H, W) or (B, 3, H, W)")
    pixels = (x.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pixels]
