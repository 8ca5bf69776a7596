"""Small curves under the sliders, as SVG: crisp at any size, in the colours of the page, dark or light."""

import html
from bisect import bisect_left

from .compute import Curve

_WIDTH, _LEFT, _TOP, _FLOOR = 420, 40, 48, 128


def curves(curve: Curve, at: float, unit: str, alone: bool = True) -> str:
    """The distances of picture and latent from the start, over the shift of one dimension.

    The present shift, ``at``, is marked. Unless it is the only one (``alone``), the titles say so.
    """
    by = "" if alone else ", by this shift alone"
    pictures = ("How far the picture is from the start", f"root mean squared difference of pixels{by}")
    ground = ("How unusual the latent is", f"distance {curve.known}{by}")
    return (
        '<div class="curves">'
        + _plot(*pictures, curve.shifts, curve.picture, at, unit)
        + _plot(*ground, curve.shifts, curve.ground, at, unit)
        + "</div>"
    )


def _plot(title: str, what: str, shifts: list[float], values: list[float], at: float, unit: str) -> str:
    now, lowest, highest = _at(shifts, values, at), shifts[0], shifts[-1]
    top = max(values) or 1.0

    def point(shift: float, value: float) -> tuple[float, float]:
        x = _LEFT + (shift - lowest) / (highest - lowest) * (_WIDTH - 8 - _LEFT)
        return x, _FLOOR - value / top * (_FLOOR - _TOP)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(point, shifts, values))
    x, y = point(at, now)
    said = html.escape(f"{title}, {what}: {now:.2f} at a shift of {at:g}")
    below = _FLOOR + 17
    return (
        f'<svg viewBox="0 0 {_WIDTH} {below + 5}" role="img" aria-label="{said}">'
        f'<text x="0" y="13" class="title">{html.escape(title)}: {now:.2f}</text>'
        f'<text x="0" y="29" class="what">{html.escape(what)}</text>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end">{_short(top)}</text>'
        f'<text x="{_LEFT - 6}" y="{_FLOOR}" text-anchor="end">0</text>'
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{_FLOOR}" y2="{_FLOOR}"/>'
        f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{_FLOOR}"/>'
        f'<polyline class="line" points="{line}"/><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        f'<text x="{_LEFT}" y="{below}">{lowest:+g}</text>'
        f'<text x="{(_LEFT + _WIDTH) / 2}" y="{below}" text-anchor="middle" class="what">'
        f"shift, in {html.escape(unit)}</text>"
        f'<text x="{_WIDTH - 8}" y="{below}" text-anchor="end">{highest:+g}</text></svg>'
    )


def _short(value: float) -> str:
    """At least two digits of a value, and no exponent."""
    return f"{value:.2g}" if value < 99 else f"{value:.0f}"


def _at(shifts: list[float], values: list[float], at: float) -> float:
    """The curve's value at a shift, on the straight line between the two points beside it."""
    right = min(max(bisect_left(shifts, at), 1), len(shifts) - 1)
    share = (at - shifts[right - 1]) / (shifts[right] - shifts[right - 1])
    return (1 - share) * values[right - 1] + share * values[right]
