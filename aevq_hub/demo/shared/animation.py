"""Moving pictures."""

from io import BytesIO

from PIL import Image

from ... import pictures

SIDE = 224  # pixels


def webp(images: list[Image.Image], milliseconds: int | list[int], side: int = SIDE) -> bytes:
    """A lossless animated WebP that repeats, enlarged without blur.

    Args:
        images: its pictures.
        milliseconds: how long each is shown, or all.
        side: its size in pixels, about; pictures are not made smaller.
    """
    frames = [pictures.enlarge(image, side).convert("RGB") for image in images]
    file = BytesIO()
    frames[0].save(
        file, "WEBP", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, lossless=True, method=0,
        quality=0,
    )  # fmt: skip
    return file.getvalue()
