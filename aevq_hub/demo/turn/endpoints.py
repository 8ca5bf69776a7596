"""The tab Turn's functions for programs."""

from typing import Literal

from ..shared.endpoints import PARAMETERS, documented, drawn, scaled
from ..shared.events import File
from . import compute
from .settings import REACHES, SLIDERS, Turn

_MOST = REACHES[-1]
_described = documented({
    **PARAMETERS,
    "rank": "which number of the latent `shift` shifts; 1 is the one that moves the picture most.",
    "shift": f"by how much that one number is shifted, from {-_MOST} to {_MOST}; 0, the default, for not at all.",
    "unit": "of all shifts: std (standard deviations of the training latents) or raw (the latent's own, the paper's).",
    "row": "of models with a grid, the row of the shifted cell, from 1; 0 for the middle.",
    "column": "of models with a grid, the column of the shifted cell, from 1; 0 for the middle.",
    "mix": f"up to {SLIDERS} shifts, from {-_MOST} to {_MOST}, with commas between them, such as 0,1.5: by how much to "
    "go along each of the strongest directions, or numbers.",
    "basis": "directions (the principal directions of the training latents) or numbers (single ones of the latent).",
    "second": "the picture that `way` leads to, named like the start.",
    "way": "how far the start is first moved straight towards the second picture, from 0 (the default) to 1.",
})  # fmt: skip
_Unit = Literal["std", "raw"]
_Basis = Literal["directions", "numbers"]


@_described
def perturb(
    model: str = Turn.model,
    start: str = "sample:0",
    rank: int = 1,
    shift: float = 0.0,
    unit: _Unit = "std",
    row: int = 0,
    column: int = 0,
    mix: str = "",
    basis: _Basis = "directions",
    second: str = "sample:1",
    way: float = 0.0,
    scale: int = 8,
) -> File:
    """Shift the latent of a picture, in several directions at once if wanted, and draw the result.

    Returns:
        A PNG of the picture.
    """
    s = Turn(model=model, start=start, second=second, basis=basis, mix=mix, way=way, rank=rank, shift=shift, unit=unit,
             row=row, column=column)  # fmt: skip
    return scaled(compute.picture(s), scale)


@_described
def perturbation_sheet(
    model: str = Turn.model,
    start: str = "sample:0",
    unit: _Unit = "std",
    row: int = 0,
    column: int = 0,
    basis: _Basis = "directions",
    second: str = "sample:1",
    way: float = 0.0,
) -> File:
    """Draw a sheet: the ten directions, or numbers, that move the picture most (columns), by several shifts (rows).

    Returns:
        A PNG of the sheet.
    """
    s = Turn(model=model, start=start, second=second, basis=basis, way=way, unit=unit, row=row, column=column)
    return drawn(compute.sheet(s))


ENDPOINTS = (perturb, perturbation_sheet)
