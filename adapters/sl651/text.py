"""The text of a frame: serial number, time of sending, station, time of observation, and elements in BCD.

An element is its identifier (1 octet, 2 where the first is FF), a definition (five bits: how many octets, three bits:
how many decimals) and the value. FF in front of a value makes it negative; a value of nothing but FF or AA was not
measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.sl651.frame import Function
from broadcaster.clock import BEIJING
from broadcaster.sensing import Reading

ELEMENTS: Mapping[str, str] = {
    "39": "water_level",
    "26": "rain_total",
    "22": "rainfall",
    "20": "rain_current",
    "1F": "rain_day",
    "27": "flow",
    "37": "velocity",
    "38": "voltage",
}
"""Identifier (hex) to the house's name; the settings add to these."""

RAIN_OF_HOUR, LEVEL_OF_HOUR = 0xF4, 0xF5
"""Twelve values of five minutes each: rain of one octet (0.1 mm), level of two (0.01 m), binary."""

_STATION, _OBSERVED, _PICTURE, _STEP = 0xF1, 0xF0, 0xF3, 0x04
_MISSING = (b"\xff", b"\xaa")
_FIVE = timedelta(minutes=5)


class TextError(ValueError):
    """The text is not what its function promises."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a frame says: its `serial` number, and what was measured."""

    serial: bytes
    readings: tuple[Reading, ...]


def read(function: int, text: bytes, station: str, elements: Mapping[str, str], *, seconds: bool = False) -> Text:
    """The text of a whole message; `TextError` for anything that does not add up. Of elements that are not in
    `elements` nothing is kept. `seconds`: single values that were sent in the minute of their observation are dated by
    the second of their sending, as the time of observation has none."""
    if len(text) < 8:
        raise TextError("shorter than its head")
    serial, body = text[:2], text[8:]
    if function in (Function.HEARTBEAT, Function.MANUAL, Function.PICTURE) or not body:
        return Text(serial, ())
    sent = _sent(text[2:8]) if seconds else None
    return Text(serial, tuple(_readings(function, body, station, elements, sent)))


def _readings(
    function: int, body: bytes, station: str, elements: Mapping[str, str], sent: datetime | None
) -> Iterator[Reading]:
    observed: datetime | None = None
    step: timedelta | None = None
    place = 0
    while place + 1 < len(body):
        mark, size = body[place], 1
        if mark == _STATION and body[place + 1] == _STATION:
            place += 2 + 5 + 1  # the station again, and its class
            continue
        if mark == _OBSERVED and body[place + 1] == _OBSERVED:
            observed = _moment(_take(body, place + 2, 5))
            place += 2 + 5
            continue
        if mark == _PICTURE and body[place + 1] == _PICTURE:
            return
        if mark == 0xFF:
            size = 2
        identifier = _take(body, place, size).hex().upper()
        definition = _take(body, place + size, 1)[0]
        octets, decimals = definition >> 3, definition & 0x07
        start = place + size + 1
        if mark == _STEP and octets == 3:
            step = _step(_take(body, start, 3))
            place = start + 3
            continue
        if observed is None:
            raise TextError("values before their time")
        if function == Function.UNIFORM and step is not None and octets:
            yield from _series(body[start:], octets, decimals, observed, step, station, elements.get(identifier))
            return
        value = _take(body, start, octets)
        place = start + octets
        if mark in (RAIN_OF_HOUR, LEVEL_OF_HOUR) and size == 1:
            yield from _hour(mark, value, observed, station)
        elif (name := elements.get(identifier)) is not None and (number := bcd(value, decimals)) is not None:
            at = sent if sent is not None and sent.replace(second=0) == observed else observed
            yield Reading(station, name, at, number)


def _series(
    octets: bytes, size: int, decimals: int, start: datetime, step: timedelta, station: str, name: str | None
) -> Iterator[Reading]:
    """Values of one element at even steps."""
    if name is None:
        return
    for number in range(len(octets) // size):
        value = bcd(octets[number * size : (number + 1) * size], decimals)
        if value is not None:
            yield Reading(station, name, start + step * number, value)


def _hour(mark: int, octets: bytes, observed: datetime, station: str) -> Iterator[Reading]:
    """The twelve values of the hour that ends at `observed`."""
    size, name, unit = (1, "rainfall", 10) if mark == RAIN_OF_HOUR else (2, "water_level", 100)
    if len(octets) != 12 * size:
        raise TextError("an hour has twelve values")
    missing = (1 << 8 * size) - 1
    for number in range(12):
        value = int.from_bytes(octets[number * size : (number + 1) * size], "big")
        if value != missing:
            yield Reading(station, name, observed - _FIVE * (11 - number), value / unit)


def bcd(octets: bytes, decimals: int) -> float | None:
    """A value in BCD; None where nothing was measured. `TextError` for what are no digits."""
    if not octets or octets in (sign * len(octets) for sign in _MISSING):
        return None
    negative = octets[0] == 0xFF
    digits = (octets[1:] if negative else octets).hex()
    if not digits.isdecimal():
        raise TextError("no BCD")
    value: float = int(digits) / 10**decimals
    return -value if negative else value


def _moment(octets: bytes) -> datetime:
    """YYMMDDhhmm, Beijing time."""
    digits = octets.hex()
    if not digits.isdecimal():
        raise TextError("no time")
    year, month, day, hour, minute = (int(digits[place : place + 2]) for place in range(0, 10, 2))
    try:
        return datetime(2000 + year, month, day, hour, minute, tzinfo=BEIJING)
    except ValueError as error:
        raise TextError("no such time") from error


def _sent(octets: bytes) -> datetime | None:
    """YYMMDDhhmmss, Beijing time; None for what is no time: nothing but the seconds is wanted of it."""
    digits = octets.hex()
    if not digits.isdecimal() or int(digits[10:]) > 59:
        return None
    try:
        return _moment(octets[:5]).replace(second=int(digits[10:]))
    except TextError:
        return None


def _step(octets: bytes) -> timedelta:
    """DDhhmm."""
    digits = octets.hex()
    if not digits.isdecimal() or not int(digits):
        raise TextError("no step")
    return timedelta(days=int(digits[:2]), hours=int(digits[2:4]), minutes=int(digits[4:]))


def _take(body: bytes, start: int, size: int) -> bytes:
    piece = body[start : start + size]
    if len(piece) < size:
        raise TextError("cut off")
    return piece
