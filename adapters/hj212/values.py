"""What the parameters of a packet say: one time, and per pollutant a value with the state of its instrument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from broadcaster.clock import BEIJING
from broadcaster.sensing import Reading

COMMANDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "2011": (("Rtd",), ""),
    "2051": (("Avg", "Cou", "Rtd"), "_minutes"),
    "2061": (("Avg", "Cou"), "_hour"),
    "2031": (("Avg", "Cou"), "_day"),
}
"""By command: which value is taken, the first that there is, and what is put behind the element's name: an average is
another series than what was measured."""

ELEMENTS: Mapping[str, str] = {
    "a34004": "pm25",
    "a34002": "pm10",
    "a21026": "so2",
    "a21002": "nox",
    "a21005": "co",
    "a05024": "o3",
    "a01001": "temperature",
    "a01002": "humidity",
    "a01007": "wind_speed",
    "a01008": "wind_direction",
    "w01001": "ph",
    "w01010": "water_temperature",
    "w01018": "cod",
    "w21003": "ammonia",
    "w00000": "flow",
}
"""Codes of HJ 525 and HJ 212 to the house's names; the settings add to these, and what is in neither keeps its code."""

GOOD = frozenset({"N", "T", ""})
"""States of an instrument whose values count: normal, beyond its limit, not said. Others: stopped, in maintenance,
faulty, being calibrated, out of touch."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,20}")
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{0,15})?([eE][+-]?\d{1,3})?")


def readings(
    command: str, parameters: str, station: str, elements: Mapping[str, str], at: datetime
) -> Iterator[Reading]:
    """The readings of a packet, all of the moment `at`; what cannot be understood is passed over."""
    wanted, behind = COMMANDS[command]
    values: dict[str, dict[str, str]] = {}
    for name, value in _pairs(parameters):
        code, _, field = name.partition("-")
        if _CODE.fullmatch(code) and field:
            values.setdefault(code, {})[field] = value
    for code, fields in values.items():
        if fields.get("Flag", "").upper() not in GOOD:
            continue
        written = next((fields[field] for field in wanted if field in fields), "")
        if _NUMBER.fullmatch(written):
            name = elements.get(code.lower(), code.lower()) + behind
            yield Reading(station, name, at, float(written))


def moment(parameters: str) -> datetime | None:
    """The packet's own time (DataTime: YYYYMMDDhhmmss, Beijing time); None where it has none."""
    text = next((value for name, value in _pairs(parameters) if name == "DataTime"), "")
    if len(text) != 14 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _pairs(parameters: str) -> Iterator[tuple[str, str]]:
    for pair in re.split("[;,]", parameters):
        name, _, value = pair.partition("=")
        yield name.strip(), value.strip()
