"""What a model says of an edited grid: proposals for cells, drawn to fit the others, and which cells are unusual."""

from dataclasses import dataclass, replace

from PIL import Image
from torch.nn import functional as F

from ...checks import one_of
from ..shared.exhibits import exhibit
from ..shared.settings import MAX_SEED
from .compute import FILLS, PROPOSALS, decoded, edited, grid_indices, highlighted, picture
from .settings import Grid

STRIKING = 8.0  # bits of a cell that is shown in full orange


@dataclass(frozen=True)
class Proposal:
    """One way to fill cells."""

    seed: int
    settings: Grid  # with the cells filled
    picture: Image.Image


def proposals(settings: Grid, action: str) -> list[Proposal]:
    """Several ways to fill cells, with the settings' seed and those after it.

    Raises:
        ValueError: the action is not one that fills cells.
    """
    one_of("action", action, FILLS)
    seeds = [(settings.seed + i) % MAX_SEED for i in range(PROPOSALS)]
    done = [(seed, edited(replace(settings, seed=seed), action)) for seed in seeds]
    return [Proposal(seed, s, picture(s)) for seed, s in done]


@dataclass(frozen=True)
class Surprise:
    """How unusual a grid is."""

    picture: Image.Image  # the edited picture in dark grey, with unusual cells in orange
    bits: list[list[float]]  # −log2 of the probability of each cell's code, given all others


def surprise(settings: Grid) -> Surprise:
    """How unusual the codes of the edited grid are to the model; cells without a code have the nearest."""
    model, indices = exhibit(settings.model).model, grid_indices(settings)[None]
    bits, x = model.surprise(indices)[0], decoded(settings)[0]  # (h, w), (C, H, W)
    strength = (bits / STRIKING).clamp(0, 1)[None, None]
    strength = 0.75 * F.interpolate(strength, x.shape[1:], mode="nearest")[0, 0]  # (H, W)
    return Surprise(highlighted(x, strength), bits.tolist())
