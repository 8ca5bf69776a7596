"""What the tab Turn can be set to."""

from collections.abc import Sequence
from dataclasses import dataclass

from ... import pictures
from ...latent_space import UNITS
from ...registry import VARIANTS
from ..shared.exhibits import history
from ..shared.settings import Settings, number, of_grid, one_of, option, whole

# how far the sliders go, to the ranges of the paper's figures, and their steps
STEPS = {1: 0.02, 3: 0.1, 15: 0.5, 50: 1, 100: 2, 300: 5}
REACHES = tuple(STEPS)
SLIDERS = 6  # dimensions or directions with a slider each
BASES = ("directions", "numbers")


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
class Turn(Settings):
    """The tab's settings."""

    # what the six sliders move along: principal directions of the training latents, or single numbers of the latent
    basis: str = option(BASES[0], one_of, choices=BASES)
    mix: str = option("", _mix)  # the six sliders' shifts, joined by commas
    way: float = option(0.0, number, low=0, high=1)  # how far the picture is moved towards the second one first
    rank: int = option(1, whole, low=1, high=lambda s: s.config.latent_dim)  # of one more number; 1 has the most effect
    shift: float = option(0.0, number, low=-REACHES[-1], high=REACHES[-1])  # by how much that is shifted
    # of all shifts: `std`, standard deviations of the training latents, or `raw`, the latent's own unit
    unit: str = option("std", _unit)
    reach: int = option(3, whole, low=0, high=REACHES[-1])  # how far the sliders go; 0 for the range of `figure`
    row: int = option(0, whole, low=0, high=of_grid)  # of the grid's shifted cell, from 1; 0 for the middle or no grid
    column: int = option(0, whole, low=0, high=of_grid)  # of that cell

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
    def sliders(self) -> int:
        """How many sliders there are: six, or fewer if the latent has fewer numbers."""
        return min(SLIDERS, self.config.latent_dim)

    @property
    def mixed(self) -> list[float]:
        """The sliders' shifts."""
        amounts = [float(part) for part in self.mix.split(",") if part]
        return (amounts + [0.0] * SLIDERS)[: self.sliders]

    @property
    def ends(self) -> list[tuple[str, str]]:
        """What each slider changes, in a word for its left end and one for its right end, where that was measured."""
        named = (history(self.model).get("names") or {}).get(self.basis, [])
        found = [(name["low"], name["high"]) if name else None for name in named]
        word = "Direction" if self.basis == "directions" else "Number"
        plain = [(f"{word} {i + 1}", "") for i in range(self.sliders)]
        return [name or otherwise for name, otherwise in zip(found + [None] * len(plain), plain, strict=False)]
