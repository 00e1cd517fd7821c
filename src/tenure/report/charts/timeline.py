"""Lines and bars over time as SVG, drawn at once: for pages that are made for every request.

A Vega chart takes a tenth of a second and its library as many megabytes; these take neither.  The
colours are classes, so that a page's stylesheet sets them, in the dark too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 30
MOST_LABELS = 7


@dataclass(frozen=True)
class Point:
    """A value at a time."""

    at: datetime
    value: float | None
    """None where there is none: the line breaks."""
    lo: float | None = None
    """Lower bound; `hi`: upper bound, if any."""
    hi: float | None = None
    kind: str = ""
    """Class of its dot."""
    text: str = ""
    """What it says when pointed at."""


def line_svg(
    points: Sequence[Point],
    title: str,
    show: Callable[[float], str],
    reference: float | None = None,
) -> str:
    """Return a line of points, with the area between their bounds and a dashed reference.

    Args:
        points: In the order of time, at least one of them with a value.
        title: What it shows, for those who cannot see it.
        show: Words of a value on the axis.
        reference: A value to compare with.
    """
    ends = [p.hi if p.hi is not None else p.value for p in points]
    most = max([item for item in [*ends, reference] if item is not None], default=0.0)
    axis = _Axis(points, most)
    parts = [_grid(axis, show), _months(axis)]
    if reference is not None:
        y = axis.y(reference)
        parts.append(
            f'<line class="reference" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        )
    for known, part in groupby(points, key=lambda p: p.value is not None):
        if known:
            parts.append(_run(axis, list(part)))
    return _svg(title, parts)


def bar_svg(points: Sequence[Point], title: str, show: Callable[[float], str]) -> str:
    """Return bars, one per point; arguments as of `line_svg`."""
    axis = _Axis(points, max((p.value or 0.0 for p in points), default=0.0))
    width = max(2.0, min(26.0, 0.7 * (WIDTH - LEFT - RIGHT) / max(len(points), 1)))
    parts = [_grid(axis, show), _months(axis)]
    for p in points:
        if p.value:
            y = axis.y(p.value)
            x = axis.x(p.at) - width / 2
            size = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{axis.y(0) - y:.1f}"'
            parts.append(
                f'<rect class="bar {p.kind}" {size}><title>{escape(p.text)}</title></rect>'
            )
    return _svg(title, parts)


class _Axis:
    """From times and values to places."""

    def __init__(self, points: Sequence[Point], most: float) -> None:
        self.first, self.last = points[0].at, points[-1].at
        self.ticks = ticks(most)
        self.most = self.ticks[-1] or 1.0

    def x(self, at: datetime) -> float:
        span = (self.last - self.first) / timedelta(seconds=1)
        share = (at - self.first) / timedelta(seconds=1) / span if span else 0.5
        return round(LEFT + 16 + share * (WIDTH - LEFT - RIGHT - 32), 1)

    def y(self, value: float) -> float:
        return round(TOP + (1 - value / self.most) * (HEIGHT - TOP - BOTTOM), 1)


def ticks(most: float) -> list[float]:
    """Return round values from 0 to at least `most`.

    >>> ticks(0.31), ticks(7), ticks(0)
    ([0.0, 0.1, 0.2, 0.3, 0.4], [0.0, 2.0, 4.0, 6.0, 8.0], [0.0])
    """
    if most <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(most))
    step = power * next(item for item in (0.2, 0.25, 0.5, 1.0, 2.0) if most <= 5 * item * power)
    count = math.ceil(most / step - 1e-9)
    return [round(n * step, 10) for n in range(count + 1)]


def _grid(axis: _Axis, show: Callable[[float], str]) -> str:
    lines = []
    for value in axis.ticks:
        y = axis.y(value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        label = escape(show(value))
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
    return "".join(lines)


def _months(axis: _Axis) -> str:
    """Return the names of months below, or of days where there are few."""
    if axis.last - axis.first < timedelta(days=62):
        times, form = sorted({axis.first, axis.last}), "{0.day} {0:%b %Y}"
    else:
        first = 12 * axis.first.year + axis.first.month - 1
        last = 12 * axis.last.year + axis.last.month - 1
        step = next(
            n for n in (1, 2, 3, 4, 6, 12, 24, 60, 1200) if (last - first) / n < MOST_LABELS
        )
        numbers = range(first, last + 1, step)
        times, form = [_month(n) for n in numbers], "{0:%b %Y}"
    inside = [at for at in times if at >= axis.first]
    return "".join(
        f'<text x="{axis.x(at)}" y="{HEIGHT - 8}" text-anchor="middle">{form.format(at)}</text>'
        for at in inside
    )


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1)  # noqa: DTZ001 - naive means UTC


def _run(axis: _Axis, points: list[Point]) -> str:
    """Return points that follow each other: area, line and dots."""
    places = [(axis.x(p.at), axis.y(p.value or 0.0), p) for p in points]
    parts = []
    bounded = [(x, p.lo, p.hi) for x, _, p in places if p.lo is not None and p.hi is not None]
    if len(bounded) > 1:
        upper = [f"{x},{axis.y(hi)}" for x, _, hi in bounded]
        lower = [f"{x},{axis.y(lo)}" for x, lo, _ in reversed(bounded)]
        parts.append(f'<polygon class="area" points="{" ".join([*upper, *lower])}"/>')
    line = " ".join(f"{x},{y}" for x, y, _ in places)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for x, y, p in places:
        dot = f'<circle class="dot {escape(p.kind)}" cx="{x}" cy="{y}" r="4">'
        parts.append(f"{dot}<title>{escape(p.text)}</title></circle>")
    return "".join(parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return f"{head}{''.join(parts)}</svg>"
