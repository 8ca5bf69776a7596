"""Between PIL images, arrays and tensors."""

import numpy as np
import torch
from PIL import Image, ImageOps


def to_array(image: Image.Image, size: int, channels: int, crop: float = 1.0) -> np.ndarray:
    """Any PIL image → uint8 (C, size, size).

    EXIF rotation is applied, transparency put on white, 16-bit and float greys scaled to 8 bits; of an animation the
    first frame is taken. The centred square with ``crop`` times the shorter side is kept and resized with antialiasing.

    Args:
        image: the image, in any mode.
        size: height and width of the result in pixels.
        channels: 1 (grey) or 3 (RGB).
        crop: share of the shorter side that is kept, in (0, 1].
    """
    image = flattened(image).convert("L" if channels == 1 else "RGB")
    side = max(1, round(min(image.size) * crop))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))  # first, so that nothing beyond it leaks in
    image = image.resize((size, size), Image.Resampling.BILINEAR)  # Pillow widens the kernel: antialiased
    pixels = np.array(image)  # (H, W) or (H, W, 3)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def flattened(image: Image.Image) -> Image.Image:
    """Any PIL image → mode L or RGB, upright: EXIF rotation applied, transparency put on white, 16-bit scaled."""
    image = _eight_bit(ImageOps.exif_transpose(image))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale greys of 16 or 32 bits to 8; PIL's own conversion would clip them at 255."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    if image.mode.startswith("I;16"):
        top = 65535.0
    else:  # modes I and F do not say what white is
        top = next(top for top in (1.0, 255.0, 65535.0) if values.max() <= top or top == 65535.0)
    return Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))


def to_pil(x: torch.Tensor) -> list[Image.Image]:
    """Images (B, C, H, W) in [0, 1] → B PIL images of mode L (C = 1) or RGB (C = 3). Values outside are clipped.

    Raises:
        ValueError: another shape.
    """
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"x has the shape {tuple(x.shape)}; give (B, 1, H, W) or (B, 3, H, W)")
    pixels = (x.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pixels]
