"""What all tabs share: the model, the picture, the second picture, and which of the two a click chooses."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from .shared.exhibits import of_data_set, offers, preferring
from .shared.settings import SHARED, Settings, one_of, option, whole
from .tour import STEPS

PLACES = {"start": "A", "second": "B"}


@dataclass(frozen=True)
class State(Settings):
    """The shared settings.

    Raises:
        ValueError: as :class:`Settings`.
    """

    place: str = option("start", one_of, choices=PLACES)  # which picture a click on a sample chooses
    tour: int = option(0, whole, low=0, high=len(STEPS))  # the step of the tour, from 1; 0 without it

    @classmethod
    def of(cls, values: object) -> "State":
        """The state that the page's bar has; invalid values become their defaults."""
        values = values if isinstance(values, Mapping) else {}
        return cls.fitted({name: value for name, value in values.items() if name in cls.names()})[0]

    @property
    def values(self) -> dict[str, str]:
        """The state as the bar has it."""
        return asdict(self)

    @property
    def shared(self) -> dict[str, str]:
        """The settings that all tabs share."""
        return {name: getattr(self, name) for name in SHARED}

    def with_start(self, start: str) -> "State":
        """Another picture in the place that a click chooses."""
        return replace(self, **{self.place: start})

    def of_dataset(self, dataset: str) -> "State":
        """The same variant of another data set, or the first that there is; samples' numbers wrap around.

        Raises:
            ValueError: no model has this data set.
        """
        names = of_data_set(one_of("data set", dataset, [o.config.dataset for o in offers().values()]))
        return self.fitted({**self.values, "model": preferring(self.config.variant, names)[0]})[0]
