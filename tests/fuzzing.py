"""Checks on random examples: 200 that are the same in every run, or 5,000 new ones with ``pytest -m deep``."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK, DEEP = 200, 5000
# for tests with the argument ``examples``
quick_and_deep = pytest.mark.parametrize("examples", [QUICK, pytest.param(DEEP, marks=pytest.mark.deep)])


def fuzz(check: Callable[[st.DataObject], None], examples: int) -> None:
    """Run ``check`` on that many examples of Hypothesis's data."""
    how = settings(
        max_examples=examples, derandomize=examples == QUICK, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    how(given(st.data())(check))()
