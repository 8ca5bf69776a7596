"""Pictures of many images at once, as the paper's figures show them. The cards and the demo draw with these."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont

from . import latent
from .images import to_pil
from .model import AEVQ

SHIFTS = (3, 2, 1, 0, -1, -2, -3)  # rows of figure 3.2
DIMENSIONS = 10  # its columns


def perturbation(model: AEVQ, z: torch.Tensor, dims: Sequence[int] | None = None, shifts: Sequence[float] = SHIFTS):
    """Figure 3.2: one image, every shift (rows) in every dimension (columns).

    Args:
        model: the model.
        z: the image's latent (D,).
        dims: the dimensions; by default the ten that move the picture most.
        shifts: amounts in the latent's own units.
    """
    dims = model.ranked_dimensions()[:DIMENSIONS] if dims is None else dims
    decoded = model.decode(latent.perturb(z, dims, shifts).flatten(0, 1)).unflatten(0, (len(dims), -1))
    return sheet(decoded.transpose(0, 1), [f"{s:+g}" if s else "0" for s in shifts], [f"z{d}" for d in dims])


def interpolation(model: AEVQ, z1: torch.Tensor, z2: torch.Tensor, steps: int = 9, mode: str = "lerp") -> Image.Image:
    """Figures 2.2, 2.4: the way from each latent of z1 (R, D) to its partner in z2 (R, D), one row each."""
    path = latent.interpolate(z1, z2, steps, mode)  # (S, R, D)
    return sheet(model.decode(path.flatten(0, 1)).unflatten(0, (steps, -1)).transpose(0, 1))


def reconstruction(model: AEVQ, z: torch.Tensor, x: torch.Tensor | None = None) -> Image.Image:
    """D(z) in a row, z (B, D), below the originals x (B, C, H, W) where these are given."""
    decoded = model.decode(z)
    if x is None:
        return sheet(decoded[None], ["D(E(x))"])
    return sheet(torch.stack([x, decoded]), ["x", "D(E(x))"])


def enlarge(image: Image.Image, side: int) -> Image.Image:
    """Enlarge by a whole factor to about ``side`` pixels without blur."""
    factor = max(1, round(side / max(image.size)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def sheet(
    x: torch.Tensor,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    cell: int = 84,
    gap: int = 2,
) -> Image.Image:
    """One picture of many images, as the paper's figures show them.

    Args:
        x: images (R, S, C, H, W) in [0, 1]: R rows of S columns.
        row_labels: R texts for the left margin, or none.
        column_labels: S texts for the top margin, or none.
        cell: about the side of an enlarged image in pixels.
        gap: pixels between images.

    Raises:
        ValueError: another shape, or labels that do not count R and S.
    """
    if x.ndim != 5:
        raise ValueError(f"x has the shape {tuple(x.shape)}; give (rows, columns, C, H, W)")
    rows, columns = x.shape[:2]
    if len(row_labels) not in (0, rows) or len(column_labels) not in (0, columns):
        raise ValueError(f"{len(row_labels)} row and {len(column_labels)} column labels for {rows} × {columns} images")
    cells = [enlarge(image, cell) for image in to_pil(x.flatten(0, 1))]
    side = cells[0].width + gap
    font = ImageFont.load_default(size=max(11, side // 5))
    left = round(max((font.getlength(label) for label in row_labels), default=0)) + (10 if row_labels else 0)
    top = side // 3 + 6 if column_labels else 0

    picture = Image.new("RGB", (left + columns * side + gap, top + rows * side + gap), "white")
    draw = ImageDraw.Draw(picture)
    for r, label in enumerate(row_labels):
        draw.text((left - 5, top + gap + r * side + side // 2), label, "#333333", font, anchor="rm")
    for s, label in enumerate(column_labels):
        draw.text((left + gap + s * side + side // 2, top // 2 + 1), label, "#333333", font, anchor="mm")
    for i, image in enumerate(cells):
        picture.paste(image, (left + gap + i % columns * side, top + gap + i // columns * side))
    return picture
