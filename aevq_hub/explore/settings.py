"""The settings of a tab: every value is checked, whether it comes from the page, a program or a link."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from .. import checks
from ..checks import number, one_of, short
from ..config import AEVQConfig
from .exhibits import offers

FIRST = "center-mnist"
S = TypeVar("S", bound="Settings")  # the settings of one tab
__all__ = ["FIRST", "Settings", "number", "of_grid", "one_of", "option", "short", "whole"]


def whole(name: str, value, low: int, high: int) -> int:
    """Check a whole number. 3.0 counts as one, since JSON and sliders do not distinguish the two."""
    return checks.whole(name, int(value) if isinstance(value, float) and value.is_integer() else value, low, high)


def option(default, check: Callable, **limits):
    """A field of :class:`Settings` with its default, its check and the limits for that.

    A limit may be a function of the settings; the fields before this one are already checked then.
    """

    def checked(name: str, value, settings: "Settings"):
        found = {key: limit(settings) if callable(limit) else limit for key, limit in limits.items()}
        return check(name, value, **found)

    return field(default=default, metadata={"check": checked})


def of_grid(settings: "Settings") -> int:
    """The limit of rows and columns: the number of cells along a side of the grid, 0 without one."""
    return settings.config.grid_size


@dataclass(frozen=True)
class Settings:
    """Base of every tab's settings: plain values, checked on creation.

    Raises:
        ValueError: a value has a wrong type or is out of range; the message is one sentence that says what is allowed.
    """

    model: str = FIRST

    def __post_init__(self):
        one_of("model", self.model, offers(self.can))
        for f in fields(self):
            if "check" in f.metadata:
                object.__setattr__(self, f.name, f.metadata["check"](f.name, getattr(self, f.name), self))

    @staticmethod
    def can(config: AEVQConfig) -> bool:
        """Whether a model of such a configuration can do the tab's job."""
        return True

    @property
    def config(self) -> AEVQConfig:
        """The model's configuration, known without its weights."""
        return offers()[self.model].config

    @classmethod
    def names(cls) -> list[str]:
        """The names of the settings, in their order."""
        return [f.name for f in fields(cls)]

    @classmethod
    def from_link(cls, parameters: Mapping[str, str]) -> tuple["Settings", list[str]]:
        """The settings that a link asks for, and a sentence for each invalid value, which keeps its default."""
        found, problems = cls(model=cls.first()), []
        for f in (f for f in fields(cls) if f.name in parameters):
            value = parameters[f.name]
            try:
                found = replace(found, **{f.name: value if f.type in (str, "str") else float(value)})
            except ValueError as error:
                is_number = not str(error).startswith("could not convert")
                problems.append(str(error) if is_number else f"{f.name} is {short(value)}; give a number.")
        return found, problems

    @classmethod
    def first(cls) -> str:
        """The model that is shown first."""
        names = list(offers(cls.can))
        return cls.model if cls.model in names else names[0]
