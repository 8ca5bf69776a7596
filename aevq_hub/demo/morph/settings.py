"""What the tab Morph can be set to."""

from dataclasses import dataclass

from ... import latent
from ..shared.exhibits import of_data_set, offers
from ..shared.settings import Settings, one_of, option, token, whole

CORNERS = ("start", "second", "third", "fourth")


@dataclass(frozen=True)
class Morph(Settings):
    """The tab's settings. The way leads from ``start`` to ``second``; all four pictures are corners of the sheet."""

    third: str = option("sample:2", token)  # the lower left corner
    fourth: str = option("sample:3", token)  # the lower right corner
    steps: int = option(9, whole, low=2, high=17)  # pictures on the way, including both ends
    mode: str = option(latent.MODES[0], one_of, choices=latent.MODES)  # a straight line, or along the arc
    # another model of the same data set, whose way between the same pictures is shown below; empty for none
    other: str = option("", one_of, choices=lambda s: ["", *others(s.model)])


def others(model: str) -> list[str]:
    """The other models of the same data set."""
    return [name for name in of_data_set(offers()[model].config.dataset) if name != model]
