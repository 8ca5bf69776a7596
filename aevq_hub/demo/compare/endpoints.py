"""The tab Compare's functions for programs."""

from ..shared.endpoints import PARAMETERS, documented, drawn, offered
from ..shared.events import File
from ..shared.exhibits import of_data_set, preferring
from . import compute
from .settings import FARTHEST, Compare

_described = documented({
    **PARAMETERS,
    "second": "the picture that the way leads to, named like the start.",
    "shift": "of the number that moves the picture most, in standard deviations of the training latents, from "
    f"{-FARTHEST} to {FARTHEST}.",
})  # fmt: skip


@_described
def ladder(dataset: str = "mnist", start: str = "sample:0", second: str = "sample:1", shift: float = 2.0) -> File:
    """Draw one picture through every variant of a data set: reconstruction, shifted, and the way to a second picture.

    A random picture is drawn by the variant center, where the data set has it, and shown to the others.

    Returns:
        A PNG with a row for every variant, from continuous to discrete.
    """
    model = preferring(Compare.PREFERRED, of_data_set(offered(dataset)))[0]
    return drawn(compute.sheet(Compare(model=model, start=start, second=second, shift=shift)))


@_described
def ladder_row(
    model: str = Compare.model, start: str = "sample:0", second: str = "sample:1", shift: float = 2.0
) -> File:
    """Draw the row of one model in the ladder: reconstruction, shifted, and the way to a second picture.

    Returns:
        A PNG of the row.
    """
    return drawn(compute.row_sheet(Compare(model=model, start=start, second=second, shift=shift), model))


ENDPOINTS = (ladder, ladder_row)
