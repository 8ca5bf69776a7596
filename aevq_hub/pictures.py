"""Contact sheets of many images, in the layout of the paper's figures, for the cards and the demo."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont

from . import latent
from .images import to_pil
from .latent_space import STRONGEST
from .model import AEVQ

SHIFTS = (3, 2, 1, 0, -1, -2, -3)  # the rows of figure 3.2


def perturbation(
    model: AEVQ,
    z: torch.Tensor,
    steps: torch.Tensor | None = None,
    shifts: Sequence[float] = SHIFTS,
    cell: tuple[int, int] | None = None,
    labels: Sequence[str] = (),
) -> Image.Image:
    """One image with shifts along each dimension or direction (columns) by each amount (rows): figures 2.1, 2.3, 3.2,
    4.6.

    Args:
        model: the model.
        z: the latent (D,), or a grid (D, h, w), in which one vector is shifted.
        steps: P steps (P, D), as :func:`latent.perturb` takes them; by default one standard deviation (σ) of the
            training latents in each of the ten dimensions with the strongest effect.
        shifts: the amounts in steps; by default from +3 to −3, as in figure 3.2.
        cell: the vector of a grid; by default the middle one.
        labels: P labels of the columns, or none.
    """
    if steps is None:
        dims = model.ranked_dimensions()[:STRONGEST]
        steps, labels = model.axes(dims), [f"z{d}" for d in dims]
    z = model.decoder_input(z[None])[0]
    cell = (cell or middle(model)) if z.ndim == 3 else None
    shifted = latent.perturb_cell(z, cell, steps, shifts)  # (P, S, …)
    decoded = model.decode(shifted.flatten(0, 1)).unflatten(0, (len(steps), -1))
    return sheet(decoded.transpose(0, 1), [f"{s:+g}" if s else "0" for s in shifts], labels)


def middle(model: AEVQ) -> tuple[int, int]:
    """The middle cell of a model's grid."""
    return model.config.grid_size // 2, model.config.grid_size // 2


def interpolation(model: AEVQ, z1: torch.Tensor, z2: torch.Tensor, steps: int = 9, mode: str = "lerp") -> Image.Image:
    """Figures 2.2, 2.4: the path from each latent of z1 (R, …) to the same row of z2 (R, …), one row each."""
    path = latent.interpolate(z1, z2, steps, mode, dim=-3 if model.config.grid_size else -1)  # (S, R, …)
    return sheet(model.render(path.flatten(0, 1)).unflatten(0, (steps, -1)).transpose(0, 1))


def reconstruction(model: AEVQ, z: torch.Tensor, x: torch.Tensor | None = None) -> Image.Image:
    """Figure 4.4: the originals x (B, C, H, W) if given, D(z) of their latents z and, for a grid, D(codes)."""
    rows = {} if x is None else {"x": x}
    rows["D(E(x))"] = model.decode(z)
    if model.config.grid_size and model.codebook is not None:
        rows["D(codes)"] = model.decode(model.quantize(z)[0])
    return sheet(torch.stack(list(rows.values())), list(rows))


def codebook(model: AEVQ, columns: int = 10, most: int = 100) -> Image.Image:
    """Figures 3.5, 4.1, 4.3: the first ``most`` vectors, decoded; for a grid, each in all cells (figure 4.7a)."""
    x = model.decode(filled(model, model.vectors[:most]))
    blank = -len(x) % columns
    return sheet(torch.cat([x, x.new_ones(blank, *x.shape[1:])]).unflatten(0, (-1, columns)), cell=56)


def filled(model: AEVQ, vectors: torch.Tensor) -> torch.Tensor:
    """Vectors (n, D) as latents: unchanged, or for a grid each repeated in all cells (n, D, h, w)."""
    size = model.config.grid_size
    return vectors[:, :, None, None].expand(-1, -1, size, size) if size else vectors


def samples(model: AEVQ, seed: int = 0, rows: int = 2, columns: int = 10) -> Image.Image:
    """New images from the model's sampler."""
    return sheet(model.sample(rows * columns, seed).unflatten(0, (rows, columns)))


def recombination(model: AEVQ, z: torch.Tensor, seed: int = 0) -> Image.Image:
    """Figures 4.5, 4.7, 4.8: random grids; one code in all cells, and among zeros; replacements in z (D, h, w)."""
    size, v = model.config.grid_size, model.vectors
    generator = torch.Generator().manual_seed(seed)
    codes = [code % len(v) for code in torch.randperm(max(8, len(v)), generator=generator)[:8].tolist()]
    rows = {
        "random": model.decode_indices(latent.recombine.random_indices(8, size, len(v), generator)),
        "one code": model.decode(torch.stack([latent.recombine.broadcast(c, size, v) for c in codes])),
        "in zeros": model.decode(torch.stack([latent.recombine.among_zeros(c, middle(model), size, v) for c in codes])),
        "replaced": model.decode(
            torch.stack([latent.recombine.replace_share(z, share / 14, v, generator) for share in range(8)])
        ),
    }
    return sheet(torch.stack(list(rows.values())), list(rows))


def completion(model: AEVQ, z: torch.Tensor, proposals: int = 3) -> Image.Image:
    """Grids z (B, D, h, w), drawn from their codes, of which the prior draws the lower half anew, in several ways."""
    indices = model.quantize(z)[1]  # (B, h, w)
    keep = torch.zeros(indices.shape[1:], dtype=torch.bool)
    keep[: (len(keep) + 1) // 2] = True
    given = model.decode_indices(indices)  # (B, C, H, W)
    rows = {"D(codes)": given, "given": given.clone()}
    rows["given"][:, :, given.shape[2] // len(keep) * ((len(keep) + 1) // 2) :] = 0.5
    rows |= {f"filled {i}": model.decode_indices(model.complete(indices, keep, i)) for i in range(1, proposals + 1)}
    return sheet(torch.stack(list(rows.values())), list(rows))


def enlarge(image: Image.Image, side: int) -> Image.Image:
    """Enlarge an image by a whole factor to about ``side`` pixels, without blur."""
    factor = max(1, round(side / max(image.size)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def sheet(
    x: torch.Tensor, row_labels: Sequence[str] = (), column_labels: Sequence[str] = (), cell: int = 84, gap: int = 2
) -> Image.Image:
    """One picture of many images, as in the paper's figures.

    Args:
        x: images (R, S, C, H, W) in [0, 1]: R rows of S columns.
        row_labels: R labels for the left margin, or none.
        column_labels: S labels for the top margin, or none.
        cell: the approximate side of an enlarged image in pixels.
        gap: the number of pixels between images.

    Raises:
        ValueError: x has another shape, or the number of labels is not R or S.
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
