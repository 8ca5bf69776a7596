"""What the tab Grid shows (figures 4.4–4.8): cells of a picture's grid are replaced, singly or all at once."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from PIL import Image
from torch.nn import functional as F

from ... import latent
from ...model import AEVQ
from ..codebook.compute import book, tiled
from ..shared import starts
from ..shared.exhibits import exhibit
from ..shared.settings import MAX_SEED, one_of
from .cells import KEPT, PASTED, ZERO, Cells, placed, spelled
from .settings import Grid

THRESHOLD = 0.02  # of the range of a pixel; what changes by more counts as changed
TILE = 32  # side of a code in the palette at most, in pixels
ACTIONS = {
    "put": "put the code into the chosen cells",
    "paste": "put the second picture's vectors into them",
    "keep": "give them back their own",
    "random": "a random code in every cell (figure 4.5)",
    "broadcast": "the code in every cell (figure 4.7a)",
    "zeros": "the code in the first chosen cell and zeros elsewhere (figure 4.7b)",
    "share": "random codes in a random share of the cells (figure 4.8)",
    "fill": "codes in the chosen cells that fit all the others, drawn by the model",
    "fill_rest": "the same in all cells but the chosen ones",
    "seam": "the same in the cells around what was pasted from the second picture",
    "draw": "a new picture: codes in all cells, drawn by the model",
    "quantise": "the nearest code in every cell that has none (figure 4.4)",
    "reset": "every cell as the picture has it",
}

FILLS = ("fill", "fill_rest", "seam")  # actions that fill some cells
PROPOSALS = 4  # ways to fill cells that are shown side by side


def edited(settings: Grid, action: str) -> Grid:
    """The settings after an action, one of ``ACTIONS``. Random actions increase the seed.

    Raises:
        ValueError: no such action.
    """
    one_of("action", action, ACTIONS)
    s, size, codes = settings, settings.config.grid_size, settings.config.num_codes
    cells: Cells = s.matrix
    seed, generator = s.seed, torch.Generator().manual_seed(s.seed)
    if action in ("put", "paste", "keep"):
        for row, column in s.chosen:
            cells[row][column] = {"put": s.code, "paste": PASTED, "keep": KEPT}[action]
    elif action == "random":
        cells = latent.recombine.random_indices(1, size, codes, generator)[0].tolist()
    elif action in (*FILLS, "draw"):
        free = _free(s, action)
        filled = exhibit(s.model).model.complete(grid_indices(s)[None], ~free, s.seed)[0]
        cells = [[int(filled[r, c]) if free[r, c] else cells[r][c] for c in range(size)] for r in range(size)]
    elif action == "broadcast":
        cells = [[s.code] * size for _ in range(size)]
    elif action == "zeros":
        (row, column), _ = s.corners
        cells = [[ZERO] * size for _ in range(size)]
        cells[row][column] = s.code
    elif action == "quantise":
        near = indices(s)
        cells = [[ZERO if c == ZERO else near[i][j] for j, c in enumerate(row)] for i, row in enumerate(cells)]
    else:
        cells = [[KEPT] * size for _ in range(size)]
    if action == "share":
        drawn = latent.recombine.drawn_replacements(s.share, size, size, codes, generator)
        for (row, column), code in zip(*drawn, strict=True):
            cells[row][column] = code
    counted = {"random": 1, "share": 1, "draw": 1, **dict.fromkeys(FILLS, PROPOSALS)}
    seed = (seed + counted.get(action, 0)) % MAX_SEED
    return replace(s, cells=spelled(cells), seed=seed)


def _free(settings: Grid, action: str) -> torch.Tensor:
    """The cells that an action of the model fills, bool (h, w)."""
    size = settings.config.grid_size
    if action == "draw":
        return torch.ones(size, size, dtype=torch.bool)
    cells = placed(settings.matrix, PASTED) if action == "seam" else settings.chosen
    if not cells:
        raise ValueError("Nothing is pasted from the second picture, so there is no seam to fill.")
    inside = torch.zeros(size, size, dtype=torch.bool)
    inside[tuple(zip(*cells, strict=True))] = True
    if action == "seam":
        return F.max_pool2d(inside[None, None].float(), 3, 1, 1)[0, 0].bool() & ~inside  # the cells around the pasted
    return ~inside if action == "fill_rest" else inside


def picture(settings: Grid) -> Image.Image:
    """The decoded picture of the edited grid, in the model's size.

    Raises:
        ValueError: a start is not a sample, or its image is no longer here.
    """
    return AEVQ.to_pil(decoded(settings))[0]


def direct(settings: Grid, which: str = "start") -> Image.Image:
    """A picture from its own grid, as the model draws it: for `vqae` D(E(x)), for `vqvae` D(codes)."""
    model = exhibit(settings.model).model
    return model.to_pil(model.decode(_own(settings, which)[None]))[0]


def quantised(settings: Grid) -> Image.Image:
    """The picture drawn from its codes: D(codebook[indices]), the third row of figure 4.4."""
    model = exhibit(settings.model).model
    return model.to_pil(model.decode_indices(model.quantize(_own(settings)[None])[1]))[0]


@dataclass(frozen=True)
class Change:
    """The effect of edits on a picture."""

    picture: Image.Image  # the edited picture in dark grey, with changes in orange, the brighter the larger
    changed: int  # pixels of which a channel changed by more than THRESHOLD
    pixels: int  # of the whole picture


def change(settings: Grid) -> Change:
    """Compare the edited picture with the one without edits."""
    x = decoded(settings)[0]  # (C, H, W)
    apart = (x - decoded(replace(settings, cells=""))[0]).abs().amax(0)  # (H, W)
    is_changed = apart > THRESHOLD
    strength = (0.35 + 0.65 * apart / apart.max().clamp(min=0.25)) * is_changed
    return Change(highlighted(x, strength), int(is_changed.sum()), apart.numel())


def highlighted(x: torch.Tensor, strength: torch.Tensor) -> Image.Image:
    """A picture (C, H, W) in dark grey, with pixels in orange by a strength from 0 to 1 (H, W)."""
    orange = torch.tensor([1.0, 0.62, 0.11])[:, None, None]
    return AEVQ.to_pil((x.mean(0) * 0.35 * (1 - strength) + orange * strength)[None])[0]  # (3, H, W)


def indices(settings: Grid) -> list[list[int]]:
    """The index matrix: for each cell its code, or the nearest one if it has none."""
    near = exhibit(settings.model).model.quantize(_grid(settings)[None])[1][0].tolist()
    return [
        [c if isinstance(c, int) else near[i][j] for j, c in enumerate(row)] for i, row in enumerate(settings.matrix)
    ]  # two codes may be equal: the one that was put is named


def grid_indices(settings: Grid) -> torch.Tensor:
    """The index matrix as a tensor (h, w)."""
    return torch.tensor(indices(settings))


def matrix_text(settings: Grid) -> str:
    """The index matrix with aligned columns: ``~17`` and ``@17`` mark cells without a code, to which 17 is nearest."""
    marks = {ZERO: ZERO} if settings.config.feed == "codebook" else {KEPT: KEPT, PASTED: PASTED, ZERO: ZERO}
    shown = [
        [ZERO if cell == ZERO else f"{marks.get(str(cell), '')}{code}" for cell, code in zip(row, near, strict=True)]
        for row, near in zip(settings.matrix, indices(settings), strict=True)
    ]
    width = max(len(entry) for row in shown for entry in row)
    return "\n".join(" ".join(entry.rjust(width) for entry in row) for row in shown)


def codes(settings: Grid) -> list[list[int | None]]:
    """The index matrix for programs, with None in cells of zeros."""
    rows = zip(settings.matrix, indices(settings), strict=True)
    return [[None if cell == ZERO else code for cell, code in zip(*row, strict=True)] for row in rows]


def csv(settings: Grid) -> str:
    """The index matrix as CSV; cells of zeros are empty."""
    rows = [["" if code is None else str(code) for code in row] for row in codes(settings)]
    return "".join(",".join(row) + "\n" for row in rows)


def is_edited(settings: Grid) -> list[list[bool]]:
    """For each cell, whether its vector differs from the picture's own."""
    return (_grid(settings) != _own(settings)).any(0).tolist()


@dataclass(frozen=True)
class Palette:
    """The codes of a model as small pictures, each alone in every cell (figure 4.7a), the most used first."""

    sprite: Image.Image  # the pictures in rows of `columns`
    codes: list[int]  # their indices, row by row
    shares: list[float]  # of the test images' cells, for each code
    columns: int  # in a row of the sprite


@lru_cache(maxsize=4)
def palette(model: str) -> Palette:
    """A model's codes; see :class:`Palette`."""
    known = book(model)
    codes = sorted(range(len(known.share)), key=lambda code: -known.share[code])
    side = min(TILE, known.images[0].width)
    images = [known.images[code].convert("RGB").resize((side, side), Image.Resampling.BOX) for code in codes]
    columns = min(16, len(codes))
    return Palette(tiled(images, columns), codes, [known.share[code] for code in codes], columns)


def _own(settings: Grid, which: str = "start") -> torch.Tensor:
    """The decoder's input (D, h, w) for a picture without edits."""
    shown = exhibit(settings.model)
    return shown.model.decoder_input(starts.latent(shown, getattr(settings, which))[None])[0]


def _grid(settings: Grid) -> torch.Tensor:
    """The decoder's input (D, h, w) with all edits."""
    z, cells = _own(settings), settings.matrix
    with_code, pasted, zeros = (placed(cells, kind) for kind in (int, PASTED, ZERO))
    if with_code:
        codes = [int(cells[row][column]) for row, column in with_code]
        z = latent.recombine.replace(z, with_code, codes, exhibit(settings.model).model.vectors)
    if pasted:
        z = latent.recombine.paste(z, _own(settings, "second"), pasted)
    return latent.recombine.blank(z, zeros) if zeros else z


def decoded(settings: Grid) -> torch.Tensor:
    """The picture of the edited grid (1, C, H, W)."""
    model, cells = exhibit(settings.model).model, settings.matrix
    if len(placed(cells, int)) == len(cells) ** 2:
        return model.decode_indices(torch.tensor([cells]))
    return model.decode(_grid(settings)[None])
