"""The river of the district: what becomes of the rain on its way from the hills to the plain.

Rain becomes runoff by the curve number method (the ground takes the first of it, and ever less); runoff gathers in the
river like in a reservoir that empties the faster the fuller it is; the wave takes its time to the next station; the
level follows from the flow by Manning's formula for a wide channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

RETENTION = 45.0
"""Millimetres that the ground can hold, wet from the days before (curve number 85)."""

FIRST_LOSS = 0.2 * RETENTION
BASE = 0.06
"""Cubic metres per second and square kilometre that flow without any rain."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A piece of the river down to its station. `area`: square kilometres that drain into this piece itself, `storage`:
    hours that they need for it, about; `above`: stations whose water comes in, each with its hours on the way. The
    channel has a `width` in metres, a `slope` and a bed at `bed` metres above the sea."""

    station: str
    name: str
    lon: float
    lat: float
    area: float
    storage: float
    above: tuple[tuple[str, float], ...]
    width: float
    slope: float
    bed: float
    warning: float
    guarantee: float
    """警戒 and 保证 levels, in metres."""

    def level(self, flow: float) -> float:
        """Metres above the sea when so many cubic metres a second pass."""
        return float(self.bed + (flow * _ROUGHNESS / (self.width * self.slope**0.5)) ** 0.6)


_ROUGHNESS = 0.035

REACHES = (
    Reach("70110100", "横溪", 121.612, 29.684, 42.0, 0.6, (), 40.0, 0.0040, 18.0, 19.2, 20.3),
    Reach("70110200", "韩岭", 121.690, 29.735, 34.0, 0.6, (), 36.0, 0.0035, 14.0, 15.2, 16.6),
    Reach("70110300", "云龙", 121.620, 29.775, 26.0, 0.8, (("70110100", 0.5), ("70110200", 0.6)),
          85.0, 0.0012, 4.0, 5.7, 8.1),
    Reach("70110400", "下应", 121.602, 29.822, 20.0, 0.9, (("70110300", 0.6),), 120.0, 0.0008, 1.0, 3.0, 5.2),
)  # fmt: skip
"""From the hills to the plain; names of real places, all else invented."""


def runoff(fallen: float) -> float:
    """Of so many millimetres since the beginning, those that have run off (US SCS, National Engineering Handbook 4)."""
    rest = fallen - FIRST_LOSS
    return rest * rest / (rest + RETENTION) if rest > 0 else 0.0


def flows(
    rain: Sequence[Sequence[float]], step: float, reaches: Sequence[Reach] = REACHES
) -> dict[str, tuple[float, ...]]:
    """Cubic metres a second at every station; `rain` has, for each reach, millimetres an hour every `step` hours."""
    found: dict[str, tuple[float, ...]] = {}
    for reach, falling in zip(reaches, rain, strict=True):
        own = _gathered(_running(falling, step), reach.storage, step)
        lateral = [value * reach.area / 3.6 + BASE * reach.area for value in own]
        found[reach.station] = tuple(
            own + sum(_delayed(found[station], hours, step, place) for station, hours in reach.above)
            for place, own in enumerate(lateral)
        )
    return found


def _running(falling: Sequence[float], step: float) -> list[float]:
    """Millimetres an hour that run off."""
    found, fallen, ran = [], 0.0, 0.0
    for rate in falling:
        fallen += rate * step
        now = runoff(fallen)
        found.append((now - ran) / step)
        ran = now
    return found


def _gathered(inflow: Sequence[float], storage: float, step: float) -> list[float]:
    """What leaves two linear reservoirs, one after the other, that each hold `storage` hours of their outflow."""
    keep = exp(-step / storage)
    first = second = 0.0
    found = []
    for value in inflow:
        first = first * keep + value * (1 - keep)
        second = second * keep + first * (1 - keep)
        found.append(second)
    return found


def _delayed(course: Sequence[float], hours: float, step: float, place: int) -> float:
    return course[max(0, place - round(hours / step))]
