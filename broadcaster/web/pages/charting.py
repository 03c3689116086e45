"""Lines over time as drawings (SVG) that need no script: where each point lies, and what the axes say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from broadcaster.clock import BEIJING

_RIGHT, _TOP, _BOTTOM = 12, 12, 28
_GAP = 4  # times the usual step, after which the line is broken
_SMALLEST = 1e-9  # a span below this, as a share of the values, is none


@dataclass(frozen=True, slots=True)
class Size:
    """A size of drawing, in its own units (the page scales it). `left` is for the values of the axis, `times` stand
    below it at the most; more `points` would tell nothing more. `name` is a class of the stylesheet."""

    name: str
    width: int
    height: int
    left: int
    times: int
    points: int


WIDE = Size("desk", 900, 260, 60, times=9, points=1200)
NARROW = Size("phone", 340, 220, 48, times=5, points=400)
"""For a phone: what is written on it is as large as on the page."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the drawing, or a stroke down it: where, and what stands beside it, of a limit also its `figure`.
    `kind` is a class of the stylesheet."""

    at: float
    text: str
    kind: str = ""
    figure: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """`lines` are the pieces of the curve, each as the points of a polyline; `doubtful` points lie apart; `across` are
    limits and the values of the axis, `down` the times and what happened."""

    size: Size
    lines: tuple[str, ...]
    doubtful: tuple[tuple[float, float], ...]
    across: tuple[Mark, ...]
    down: tuple[Mark, ...]

    @property
    def right(self) -> int:
        """Where the drawing ends."""
        return self.size.width - _RIGHT

    @property
    def top(self) -> int:
        return _TOP

    @property
    def bottom(self) -> int:
        return self.size.height - _BOTTOM


def charts(
    points: Sequence[tuple[datetime, float, bool]],
    start: datetime,
    end: datetime,
    *,
    limits: Sequence[tuple[float, str, str]] = (),
    events: Sequence[tuple[datetime, str, str]] = (),
) -> tuple[Chart, ...]:
    """The drawing in each size, as `chart`."""
    return tuple(chart(points, start, end, size=size, limits=limits, events=events) for size in (WIDE, NARROW))


def chart(
    points: Sequence[tuple[datetime, float, bool]],
    start: datetime,
    end: datetime,
    *,
    size: Size = WIDE,
    limits: Sequence[tuple[float, str, str]] = (),
    events: Sequence[tuple[datetime, str, str]] = (),
) -> Chart:
    """The drawing of (time, value, whether it is good) between `start` and `end`.

    `limits` are (value, words, class); `events` (time, words, class).
    """
    good = [(at, value) for at, value, fine in points if fine]
    values = [value for _, value in good] + [value for value, _, _ in limits]
    low, high = _bounds(values)
    span = max((end - start).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return round(size.left + (at - start).total_seconds() / span * (size.width - size.left - _RIGHT), 1)

    def y(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(size.height - _BOTTOM - share * (size.height - _TOP - _BOTTOM), 1)

    pieces = _pieces(_thinned(good, size.points))
    return Chart(
        size=size,
        lines=tuple(" ".join(f"{x(at)},{y(value)}" for at, value in piece) for piece in pieces),
        doubtful=tuple((x(at), y(value)) for at, value, fine in points if not fine)[-200:],
        across=(
            *(Mark(y(value), text) for value, text in _values(low, high)),
            *(Mark(y(value), words, kind, f"{value:.6g}") for value, words, kind in limits),
        ),
        down=(
            *_times(start, end, x, size.times),
            *(Mark(x(at), words, kind or "event") for at, words, kind in events),
        ),
    )


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    flat = high - low <= _SMALLEST * max(largest, 1.0)
    room = max(largest * 0.05, 0.5) if flat else (high - low) * 0.08
    return (0.0 if 0 <= low < room else low - room), high + room


def _values(low: float, high: float) -> list[tuple[float, str]]:
    """Round values between the bounds, two to seven of them, as they are written on the axis."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(one * power for one in (1, 2, 5, 10) if (high - low) / (one * power) <= 6)
    decimals = max(0, -math.floor(math.log10(step) + _SMALLEST))
    first = math.ceil(low / step - _SMALLEST)
    values = [(first + place) * step for place in range(7)]
    return [(value, f"{value:.{decimals}f}") for value in values if value <= high + step * _SMALLEST]


def _thinned(points: Sequence[tuple[datetime, float]], most: int) -> list[tuple[datetime, float]]:
    """At most `most` points: of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = -(-len(points) * 2 // most)
    kept: list[tuple[datetime, float]] = []
    for place in range(0, len(points), size):
        stretch = points[place : place + size]
        ends = {min(stretch, key=lambda one: one[1]), max(stretch, key=lambda one: one[1])}
        kept += sorted(ends)
    return kept


def _pieces(points: Sequence[tuple[datetime, float]]) -> list[list[tuple[datetime, float]]]:
    """Broken where nothing came for much longer than usual."""
    if not points:
        return []
    steps = sorted(b[0] - a[0] for a, b in pairwise(points))
    usual = steps[len(steps) // 2] if steps else timedelta(0)
    pieces = [[points[0]]]
    for before, one in pairwise(points):
        if usual and one[0] - before[0] > usual * _GAP:
            pieces.append([])
        pieces[-1].append(one)
    return pieces


def _times(start: datetime, end: datetime, x: Callable[[datetime], float], most: int) -> list[Mark]:
    """Hours, and the day where one begins."""
    hours = max((end - start).total_seconds() / 3600, 0.1)
    step = next((one for one in (0.25, 1, 3, 6, 12, 24, 48, 24 * 7, 24 * 30) if hours / one <= most), 24 * 90)
    local = start.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    marks, at = [], local
    while at <= end:
        if at >= start:
            marks.append(Mark(x(at), at.strftime("%m-%d" if at.hour == at.minute == 0 else "%H:%M")))
        at += timedelta(hours=step)
    return marks
