"""The settings of a tab: every value is checked, whether it comes from the page, a program or a link."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import ClassVar, TypeVar

from ... import checks
from ...checks import number, one_of, short
from ...config import AEVQConfig
from .exhibits import exhibit, of_data_set, offers, preferring, with_vectors

FIRST = "center-celeba"
MAX_SEED = 2**32 - 1
SHARED = ("model", "start", "second")  # the settings that all tabs share
_KINDS = {"sample": r"\d{1,4}", "random": r"\d{1,10}", "vector": r"\d{1,5}", "image": r"[0-9a-f]{16}"}  # of starts
S = TypeVar("S", bound="Settings")  # the settings of one tab
__all__ = ["FIRST", "MAX_SEED", "SHARED", "Settings", "is_start", "number", "of_grid", "one_of", "option", "short",
           "token", "whole"]  # fmt: skip


def whole(name: str, value, low: int, high: int) -> int:
    """Check a whole number. 3.0 counts as one, since JSON and sliders do not distinguish the two."""
    return checks.whole(name, int(value) if isinstance(value, float) and value.is_integer() else value, low, high)


def token(name: str, value) -> str:
    """Check a start, a short text that names a picture (see ``starts``), and return its canonical text.

    Raises:
        ValueError: it is not a start.
    """
    text = value.strip() if isinstance(value, str) else ""
    kind, _, rest = text.partition(":")
    if (
        kind not in _KINDS
        or not re.fullmatch(_KINDS[kind], rest, re.ASCII)
        or (kind == "random" and int(rest) > MAX_SEED)
    ):
        raise ValueError(
            f"{name} is {short(value)}; give sample:N (a sample's number), random:N (a seed up to {MAX_SEED}), "
            "vector:N (a learnable vector's index) or image:… (an image that was brought)."
        )
    return text if kind == "image" else f"{kind}:{int(rest)}"


def is_start(value: str) -> bool:
    """Whether a text is a start, though perhaps one that no model has."""
    try:
        return bool(token("start", value))
    except ValueError:
        return False


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

    PREFERRED: ClassVar[str] = "center"  # the variant of the tab's first model
    OF_MODEL: ClassVar[tuple[str, ...]] = ()  # settings that mean nothing for another model

    model: str = FIRST
    start: str = option("sample:0", token)  # the picture; see `starts`
    second: str = option("sample:1", token)  # a second one

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
    def fitted(cls: type[S], values: Mapping[str, object]) -> tuple[S, list[str]]:
        """The settings of given values, and a sentence for each invalid value, which becomes its default.

        Numbers of samples and vectors wrap around where there are fewer, and a model that cannot do the tab's job gives
        way to another of its data set (:meth:`capable`).
        """
        found, problems = cls(model=cls.first()), []
        for f in (f for f in fields(cls) if f.name in values):
            value = values[f.name]
            try:
                if f.name == "model":
                    found = cls(model=cls.capable(_known(value)))
                    continue
                if f.type not in (str, "str") and isinstance(value, str):
                    value = float(value)
                found = replace(found, **{f.name: _wrapped(value, found.model)})
            except ValueError as error:
                is_number = not str(error).startswith("could not convert")
                problems.append(str(error) if is_number else f"{f.name} is {short(value)}; give a number.")
        return found, problems

    @property
    def link(self) -> dict[str, str]:
        """The values that a link has to name: the model, and all that differ from their defaults."""
        plain = type(self)(model=self.model)
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: f"{value}" for name, value in values.items() if name == "model" or value != getattr(plain, name)}

    @classmethod
    def capable(cls, model: str) -> str:
        """The model itself if it can do the tab's job; else one of its data set, or of any, that can."""
        offer = offers()[model]
        if cls.can(offer.config):
            return model
        able = [name for name in of_data_set(offer.config.dataset) if cls.can(offers()[name].config)]
        return [*preferring(cls.PREFERRED, able), *offers(cls.can)][0]

    @classmethod
    def first(cls) -> str:
        """The model that is shown first."""
        return cls.capable(FIRST if FIRST in offers() else next(iter(offers())))


def _known(model) -> str:
    """A shipped model's name; of an unknown one the error names a few that are like it, not all."""
    if isinstance(model, str) and model in offers():
        return model
    alike = get_close_matches(str(model), list(offers()), n=3, cutoff=0.4)
    guess = f"; did you mean {', '.join(alike)}?" if alike else "."
    raise ValueError(f"unknown model {short(model)}{guess}")


def _wrapped(value, model: str):
    """A start whose number is one of a model's samples or vectors; any other value as it is."""
    kind, _, number = value.strip().partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in ("sample", "vector") or not re.fullmatch(_KINDS[kind], number, re.ASCII):
        return value
    count = len(exhibit(model).z) if kind == "sample" else offers()[with_vectors(model)].config.num_codes
    return f"{kind}:{int(number) % count}"
