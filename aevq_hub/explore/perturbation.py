"""The perturbation tab (figures 2.1, 2.3, 3.2, 4.1, 4.6): shifts of a latent's dimensions and their effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image

from .. import latent, pictures
from ..latent_space import STRONGEST, UNITS
from ..registry import VARIANTS
from ..sampling import GaussianMixture
from . import starts
from .exhibits import exhibit
from .settings import Settings, number, of_grid, one_of, option, whole

# how far the sliders go, to the ranges of the paper's figures, and their steps
STEPS = {1: 0.02, 3: 0.1, 15: 0.5, 50: 1, 100: 2, 300: 5}
REACHES = tuple(STEPS)
SLIDERS = 6  # dimensions with a slider each
CURVE_POINTS = 41


def _mix(name: str, value) -> str:
    """Check shifts given as text and return their canonical text, which is empty if all are zero."""
    try:
        parts = str.split(value, ",") if value != "" else []  # raises TypeError if it is not a string
        amounts = [number(name, float(part), -REACHES[-1], REACHES[-1]) for part in parts[: SLIDERS + 1]]
    except (TypeError, ValueError):
        amounts = None
    if amounts is None or len(amounts) > SLIDERS:
        raise ValueError(
            f"{name} is not a list of numbers; give up to {SLIDERS} from {-REACHES[-1]} to {REACHES[-1]} with commas "
            "between them, such as 0,1.5."
        )
    return ",".join(f"{amount:g}" for amount in amounts) if any(amounts) else ""


def _unit(name: str, value) -> str:
    return one_of(name, "raw" if value == "latent" else value, UNITS)  # "latent": what links said for raw


@dataclass(frozen=True)
class Perturbation(Settings):
    """The tab's settings."""

    start: str = option("sample:0", starts.checked)  # the picture that is shifted; see `starts`
    rank: int = option(1, whole, low=1, high=lambda s: s.config.latent_dim)  # of the dimension; 1 has the most effect
    shift: float = option(0.0, number, low=-REACHES[-1], high=REACHES[-1])  # by how much
    # of all shifts: `std`, standard deviations of the training latents, or `raw`, the latent's own unit
    unit: str = option("std", _unit)
    # how far the slider and the curve go; 0 for the range of `figure`
    reach: int = option(0, whole, low=0, high=REACHES[-1])
    row: int = option(0, whole, low=0, high=of_grid)  # of the grid's shifted cell, from 1; 0 for the middle or no grid
    column: int = option(0, whole, low=0, high=of_grid)  # of that cell
    mix: str = option("", _mix)  # shifts of the dimensions of rank 1 to 6, joined by commas; added to the one above

    def __post_init__(self):
        super().__post_init__()
        if self.reach not in (0, *REACHES):
            raise ValueError(f"reach is {self.reach}; choose from {', '.join(map(str, (0, *REACHES)))}.")

    @property
    def limit(self) -> int:
        """The sliders' range: the chosen one or the variant's own, but at least the largest shift."""
        wanted = self.reach or max(map(abs, self.figure))
        return next(reach for reach in REACHES if reach >= max(map(abs, (wanted, self.shift, *self.mixed))))

    @property
    def figure(self) -> Sequence[float]:
        """The shifts of the sheet: those of figure 3.2, or in raw units those of the variant's figure."""
        return pictures.SHIFTS if self.unit == "std" else VARIANTS[self.config.variant].shifts

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column from 0 of the shifted cell; None without a grid."""
        size = self.config.grid_size
        return ((self.row or size // 2 + 1) - 1, (self.column or size // 2 + 1) - 1) if size else None

    @property
    def mixed(self) -> list[float]:
        """The six shifts of ``mix``."""
        amounts = [float(part) for part in self.mix.split(",") if part]
        return amounts + [0.0] * (SLIDERS - len(amounts))

    @property
    def by_rank(self) -> dict[int, float]:
        """The shifts that are not zero, by the dimension's rank, in ``unit``."""
        amounts = dict(enumerate(self.mixed[: self.config.latent_dim], 1))
        amounts[self.rank] = amounts.get(self.rank, 0.0) + self.shift
        return {rank: amount for rank, amount in amounts.items() if amount}


@dataclass(frozen=True)
class Curve:
    """The effect of shifts of one dimension."""

    shifts: list[float]  # S amounts, evenly spaced from −limit to +limit
    picture: list[float]  # (S,) root mean squared difference to the start's picture, over pixels in [0, 1]
    ground: list[float]  # (S,) distance of the latent to known ground
    known: str  # which distance that is, for people


def start(settings: Perturbation) -> Image.Image:
    """The start as the model draws it, in the model's size."""
    return starts.drawn(exhibit(settings.model), settings.start)


def picture(settings: Perturbation) -> Image.Image:
    """The picture after all shifts, as small as it is.

    Raises:
        ValueError: the start is not a sample, or its image is no longer here.
    """
    model = exhibit(settings.model).model
    z = model.decoder_input(_latent(settings)[None])[0]
    steps = model.axes([model.ranked_dimensions()[rank - 1] for rank in settings.by_rank], settings.unit)
    for step, amount in zip(steps, settings.by_rank.values(), strict=True):
        z = latent.perturb_cell(z, settings.cell, step, amount)[0, 0]
    return model.to_pil(model.decode(z[None]))[0]


def sheet(settings: Perturbation) -> Image.Image:
    """The ten strongest dimensions (columns) by the shifts of its figure (rows)."""
    model = exhibit(settings.model).model
    dims = model.ranked_dimensions()[:STRONGEST]
    steps, labels = model.axes(dims, settings.unit), [f"z{d}" for d in dims]
    return pictures.perturbation(model, _latent(settings), steps, settings.figure, settings.cell, labels)


def raw_in_std(settings: Perturbation) -> float:
    """How many standard deviations of the training latents a raw shift of 1 is, in the chosen dimension."""
    model = exhibit(settings.model).model
    return 1 / max(model.std()[model.ranked_dimensions()[settings.rank - 1]].item(), 1e-9)


def curve(settings: Perturbation) -> Curve:
    """The effect of shifts of this dimension alone; see :class:`Curve`."""
    s = settings
    return _curve(Perturbation(s.model, s.start, s.rank, 0.0, s.unit, s.limit, s.row, s.column))


@lru_cache(maxsize=64)
def _curve(settings: Perturbation) -> Curve:
    model, z = exhibit(settings.model).model, _latent(settings)
    step = model.axes([model.ranked_dimensions()[settings.rank - 1]], settings.unit)
    amounts = [settings.limit * (2 * i / (CURVE_POINTS - 1) - 1) for i in range(CURVE_POINTS)]  # 0 in the middle
    z = model.decoder_input(z[None])[0]
    shifted = latent.perturb_cell(z, settings.cell, step, amounts)
    x = model.decode(shifted[0])
    apart = (x - x[CURVE_POINTS // 2]).square().flatten(1).mean(1).sqrt()  # (S,), to the one not shifted
    if settings.cell:
        row, column = settings.cell
        ground = torch.cdist(shifted[0, :, :, row, column], model.vectors).amin(1)
        known = "of the cell's vector to the nearest code"
    else:
        assert isinstance(model.sampler, GaussianMixture)  # only grids have another sampler
        ground = model.sampler.distance(shifted[0])
        known = "to the training latents, most of which are at about 1"
    return Curve(amounts, apart.tolist(), ground.tolist(), known)


def _latent(settings: Perturbation) -> torch.Tensor:
    return starts.latent(exhibit(settings.model), settings.start)
