"""The tab About's functions for programs."""

from ... import claims as measured
from ...measures import MEASURES
from ..shared.endpoints import PARAMETERS, documented, offered
from ..shared.exhibits import describe, offers
from ..shared.settings import one_of
from . import compute
from .settings import About

_described = documented(PARAMETERS)


@_described
def describe_model(model: str = About.model) -> str:
    """Describe a model and its results in a paragraph.

    Returns:
        Markdown.
    """
    return describe(one_of("model", model, offers()))


@_described
def results(dataset: str = "mnist") -> list[dict[str, str | float]]:
    """List the results of every shipped model of a data set, measured on test images.

    Returns:
        For each model its name as `model`, its `variant`, and what was measured of it:
    """
    return compute.measured(offered(dataset))


_meanings = "; ".join(f"`{key}` ({MEASURES[key].name}: {MEASURES[key].meaning})" for key in compute.COLUMNS)
results.__doc__ = f"{results.__doc__} {_meanings}."


@_described
def claims() -> list[dict]:
    """List the paper's claims with their verdicts and the values that were measured, one for each training.

    Returns:
        For each claim its number, section, variant, verdict and parts, each with a bound and values by case.
    """
    return measured.shipped()


ENDPOINTS = (describe_model, results, claims)
