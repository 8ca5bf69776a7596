"""A small curve beside the sliders, as SVG: crisp in any size, and in the colours of the page, dark or light."""

import html
from bisect import bisect_left

from ..explore.perturbation import Curve

_WIDTH, _HEIGHT, _LEFT, _GAP = 440, 92, 46, 34


def svg(curve: Curve, at: float, unit: str) -> str:
    """How far the picture and the latent are from where they began, over the shift; a marker stands at ``at``."""
    plots = (
        ("How far the picture is from the start", "RMSE over pixels, of 1", curve.picture),
        ("How far the latent is from known ground", curve.known, curve.ground),
    )
    parts, said = [], []
    for i, (title, what, values) in enumerate(plots):
        now = _at(curve.shifts, values, at)
        parts.append(_plot(i * (_HEIGHT + _GAP) + 22, f"{title}: {now:.3g}", what, curve.shifts, values, at, now))
        said.append(f"{title.lower()} ({what}): {now:.3g}")
    bottom = 2 * (_HEIGHT + _GAP) + 4
    lowest, highest = curve.shifts[0], curve.shifts[-1]
    ticks = "".join(
        f'<text x="{x}" y="{bottom}" text-anchor="{anchor}">{label}</text>'
        for x, anchor, label in (
            (_LEFT, "start", f"{lowest:+g}"),
            ((_LEFT + _WIDTH) / 2, "middle", f"shift, in {unit}"),
            (_WIDTH - 4, "end", f"{highest:+g}"),
        )
    )
    alt = html.escape(f"At a shift of {at:g}, " + "; ".join(said))
    return (
        f'<figure class="curve"><svg viewBox="0 0 {_WIDTH} {bottom + 8}" role="img" aria-label="{alt}">'
        f"{''.join(parts)}{ticks}</svg></figure>"
    )


def _plot(top: float, title: str, what: str, shifts, values, at: float, now: float) -> str:
    highest = max(max(values), now) or 1.0

    def point(shift, value):
        x = _LEFT + (shift - shifts[0]) / (shifts[-1] - shifts[0]) * (_WIDTH - 4 - _LEFT)
        return x, top + _HEIGHT - 12 - value / highest * (_HEIGHT - 24)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (point(s, v) for s, v in zip(shifts, values, strict=True)))
    (x, y), floor = point(at, now), top + _HEIGHT - 12
    return (
        f'<text x="0" y="{top - 6}"><tspan font-weight="600">{html.escape(title)}</tspan> '
        f'<tspan opacity=".7">{html.escape(what)}</tspan></text>'
        f'<text x="{_LEFT - 6}" y="{top + 16}" text-anchor="end">{highest:.2g}</text>'
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - 4}" y1="{floor}" y2="{floor}"/>'
        f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 6}" y2="{floor}"/>'
        f'<polyline class="line" points="{line}"/><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    )


def _at(shifts: list[float], values: list[float], at: float) -> float:
    """The curve's value at a shift, on the straight line between the two points beside it."""
    right = min(max(bisect_left(shifts, at), 1), len(shifts) - 1)
    share = (at - shifts[right - 1]) / (shifts[right] - shifts[right - 1])
    return (1 - share) * values[right - 1] + share * values[right]
