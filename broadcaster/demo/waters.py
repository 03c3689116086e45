"""The waters of the demo: the roster of its stations, and the two rules that watch them.

The storm runs fast: `hour` seconds are one of its hours. So do the rules: their times are those of a real county
("50 mm in an hour") in hours of the storm, written in seconds of the wall clock, by which all of the house goes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from audiences.generator.places import DISTRICT_CODE
from broadcaster.rehearsal.storm.river import REACHES
from broadcaster.rehearsal.storm.storm import GAUGES

HILLS, HILL_RIVERS, PLAIN = "山区雨量", "山区河道", "前塘河"
HILL_RULE, RIVER_RULE = "hill-flash-flood", "river-flood"
Towns = Mapping[str, tuple[float, float]]
"""The middles of the district's towns (longitude, latitude), by code."""

AT_ONCE = ("flash_flood",)
"""Hazards whose alerts a rule may send out at once, as `rules.issue` of the settings says."""

_HILL_GAUGES, _HILL_REACHES = 3, 2  # the first of each lie in the hills
_COLUMNS = ("code", "name", "region_code", "lon", "lat", "kind", "groups", "period", "warning", "guarantee")
_HILL_TEXT = """title = "山区山洪"
hazard = "flash_flood"
stations = ["group:{hills}"]
fresh = "{fresh}"
calm = "{hour}"
cool_down = "{hour}"
clear = "issue"
drill = true

[area]
regions = {regions}

[[levels]]
colour = "yellow"
do = "notify"
[[levels.when]]
element = "rain_total"
total = 10
within = "{hour}"
at_least = 2

[[levels]]
colour = "orange"
do = "issue"
[[levels.when]]
element = "rain_total"
total = 18
within = "{hour}"
at_least = 2
hysteresis = 6
[[levels.when]]
element = "water_level"
stations = ["group:{rivers}"]
above = "warning"
hysteresis = 0.2
"""

_RIVER_TEXT = """title = "前塘河洪水"
hazard = "flood"
stations = ["group:{plain}"]
fresh = "{fresh}"
calm = "{half}"
cool_down = "{hour}"
clear = "hold"
drill = true

[area]
regions = {regions}

[[levels]]
colour = "orange"
do = "hold"
hold = "{hold}"
[[levels.when]]
element = "water_level"
above = "warning"
lasting = "{short}"
hysteresis = 0.1

[[levels]]
colour = "red"
do = "hold"
hold = "{hold}"
[[levels.when]]
element = "water_level"
above = "guarantee"
lasting = "{short}"
hysteresis = 0.1
"""


def roster(path: Path, towns: Towns) -> None:
    """Write the stations as a county's roster: a CSV whose rows name the town in which each lies."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for place, reach in enumerate(REACHES):
            group = HILL_RIVERS if place < _HILL_REACHES else PLAIN
            town, where = town_at(towns, reach.lon, reach.lat), (reach.lon, reach.lat)
            limits = (reach.warning, reach.guarantee)
            writer.writerow((reach.station, f"{reach.name}水文站", town, *where, "river", group, 1, *limits))
        for place, gauge in enumerate(GAUGES):
            group = HILLS if place < _HILL_GAUGES else ""
            town, where = town_at(towns, gauge.lon, gauge.lat), (gauge.lon, gauge.lat)
            writer.writerow((gauge.station, f"{gauge.name}雨量站", town, *where, "rain", group, 1, "", ""))


def rules(towns: Towns, hour: float) -> Mapping[str, str]:
    """The texts of the rules, by name: rain and rising brooks warn the hills at once; the river warns the district,
    each time after a countdown in which an officer can say no."""
    places = [(one.lon, one.lat) for one in REACHES[:_HILL_REACHES]]
    places += [(one.lon, one.lat) for one in GAUGES[:_HILL_GAUGES]]
    hills = sorted({town_at(towns, lon, lat) for lon, lat in places})
    times = {
        "hour": _seconds(hour),
        "half": _seconds(hour / 2),
        "hold": _seconds(hour / 2),
        "short": _seconds(hour / 6),
        "fresh": _seconds(max(30.0, 2 * hour)),
    }
    return {
        HILL_RULE: _HILL_TEXT.format(hills=HILLS, rivers=HILL_RIVERS, regions=_list(hills), **times),
        RIVER_RULE: _RIVER_TEXT.format(plain=PLAIN, regions=_list([DISTRICT_CODE]), **times),
    }


def town_at(towns: Towns, lon: float, lat: float) -> str:
    """The code of the town whose middle is nearest."""
    return min(towns, key=lambda code: (towns[code][0] - lon) ** 2 + (towns[code][1] - lat) ** 2)


def _seconds(time: float) -> str:
    """A time of a rule: whole seconds, one at the least."""
    return f"{max(1, round(time))}s"


def _list(words: Sequence[str]) -> str:
    return msgspec.json.encode(words).decode()
