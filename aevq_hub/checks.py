"""Checks of single values, each with one clear sentence for what is wrong."""

import math
import sys

_LONGEST = 40  # characters of a value in a message


def short(value) -> str:
    """A value for a message, shortened."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        text = "too large a number"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def whole(name: str, value, low: int, high: float = math.inf) -> int:
    """Check a whole number from ``low`` to ``high`` and return it.

    Raises:
        ValueError: it is not an int (a bool is not one), or out of range.
    """
    if type(value) is not int or not low <= value <= high:
        limits = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise ValueError(f"{name} is {short(value)}; give a whole number {limits}")
    return value


def number(name: str, value, low: float, high: float = math.inf) -> float:
    """Check a finite number from ``low`` to ``high`` and return it as a float.

    Raises:
        ValueError: it is neither an int nor a float, not finite, or out of range.
    """
    if type(value) not in (int, float) or not low <= value <= min(high, sys.float_info.max):
        limits = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise ValueError(f"{name} is {short(value)}; give a number {limits}")
    return float(value)


def one_of(name: str, value, choices) -> str:
    """Check that a value is one of some strings and return it.

    Raises:
        ValueError: it is not; the message lists the choices.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"unknown {name} {short(value)}; choose from {', '.join(choices)}")
    return value
