"""What the tab About can be set to."""

from dataclasses import dataclass

from ..shared.settings import Settings


@dataclass(frozen=True)
class About(Settings):
    """The tab's settings: the model that it shows how to load."""
