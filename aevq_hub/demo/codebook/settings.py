"""What the tab Codebook can be set to."""

from dataclasses import dataclass

from ...config import AEVQConfig
from ..shared.exhibits import most_used
from ..shared.settings import Settings, number, one_of, option, whole

FIRST = "codebook-celeba"
SORTS = ("use", "index", "distance")
SHOWS = ("all", "used", "dead", "duplicate")


def _vector(name: str, value, model: str, count: int) -> int:
    """Check a vector's index; None stands for the most used one's."""
    return most_used(model) if value is None else whole(name, value, 0, count - 1)


@dataclass(frozen=True)
class Codebook(Settings):
    """The tab's settings."""

    PREFERRED = "codebook"
    OF_MODEL = ("vector", "point")

    model: str = FIRST
    vector: int = option(None, _vector, model=lambda s: s.model, count=lambda s: s.config.num_codes)  # its index
    sort: str = option(SORTS[0], one_of, choices=SORTS)  # `use`: the most used first; `distance` to the nearest other
    show: str = option(SHOWS[0], one_of, choices=SHOWS)  # all of the gallery, or only vectors of one kind
    way: float = option(0.5, number, low=0, high=1)  # how far from the start to the vector
    point: int = option(0, whole, low=0, high=65535)  # the number of the chosen point of the map

    @staticmethod
    def can(config: AEVQConfig) -> bool:
        return config.num_codes > 0
