"""What the tab Compare can be set to."""

from dataclasses import dataclass

from ..shared.exhibits import ladder, offers
from ..shared.settings import Settings, number, option

STEPS = 5  # of the way to the second picture, both ends counted
FARTHEST = 10  # standard deviations


@dataclass(frozen=True)
class Compare(Settings):
    """The tab's settings. The model stands for its data set, and generates the pictures that are random."""

    # of the number with the most effect (of grids in the middle cell), in standard deviations of training latents
    shift: float = option(2.0, number, low=-FARTHEST, high=FARTHEST)

    @property
    def models(self) -> list[str]:
        """The shipped models of the data set, from continuous to discrete."""
        return list(ladder(self.config.dataset))

    def variant_of(self, model: str) -> str:
        """The short name of a model's variant."""
        return offers()[model].config.variant
