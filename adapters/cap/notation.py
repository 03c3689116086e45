"""CAP's small notations inside a text: points, polygons, circles, references, lists with quotes, times.

CAP writes latitude first; inside the house longitude comes first. The turning happens here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from broadcaster.alerts.alert import Circle, Point, Reference, Ring
from broadcaster.clock import BEIJING
from broadcaster.phrase import phrase

_NUMBER = r"[+-]?\d{1,12}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,2})?"
_POINT = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})\s+({_NUMBER})")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_LISTED = re.compile(r'"([^"]*)"|(\S+)')


def read_time(text: str) -> datetime:
    """An aware UTC datetime; ValueError when there is no zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time.astimezone(UTC)


def write_time(time: datetime) -> str:
    """Beijing time to the second, as clause 3.3.2 wants it: 2026-07-01T08:00:00+08:00."""
    return time.astimezone(BEIJING).isoformat(timespec="seconds")


def read_ring(text: str) -> Ring:
    """A polygon's outline in (longitude, latitude), closed if it was left open; ValueError for anything but points."""
    points: list[Point] = []
    for word in text.split():
        match = _POINT.fullmatch(word)
        if not match:
            raise ValueError(phrase("“%(given)s”不是“纬度,经度”", given=word[:40]))
        points.append((float(match.group(2)), float(match.group(1))))
    return tuple(points)


def closed(ring: Ring) -> Ring:
    """The outline with its first point repeated at the end, if it is not there."""
    return ring if ring[0] == ring[-1] else (*ring, ring[0])


def write_ring(ring: Ring) -> str:
    """Latitude first, points separated by spaces."""
    return " ".join(f"{write_number(lat)},{write_number(lon)}" for lon, lat in ring)


def read_circle(text: str) -> Circle:
    """ "latitude,longitude radius" in degrees and kilometres; ValueError otherwise."""
    match = _CIRCLE.fullmatch(text)
    if not match:
        raise ValueError(phrase("“%(given)s”不是“纬度,经度 半径”", given=text[:40]))
    lat, lon, km = (float(group) for group in match.groups())
    return Circle(lon, lat, km)


def write_circle(circle: Circle) -> str:
    """ "latitude,longitude radius"."""
    return f"{write_number(circle.lat)},{write_number(circle.lon)} {write_number(circle.km)}"


def write_number(value: float) -> str:
    """The shortest decimal that reads back as the same float; what would need an exponent is cut to nine decimals."""
    text = repr(value)
    return f"{value:.9f}".rstrip("0").rstrip(".") if "e" in text else text


def read_references(text: str) -> tuple[tuple[Reference, ...], str]:
    """The references of CAP 1.1 and 1.2, and what was left over that is none.

    The standard separates them by spaces; some senders use commas or put spaces into their own name.
    """
    references = []
    parts = text.split(",")
    at = 0
    while at + 2 < len(parts):
        sender, identifier, third = (part.strip() for part in parts[at : at + 3])
        time, *following = third.split(maxsplit=1) or [""]
        if not (sender and identifier and _TIME.fullmatch(time)):
            break
        references.append(Reference(sender, identifier, read_time(time)))
        at += 2 if following else 3
        if following:
            parts[at] = following[0]
    return tuple(references), ",".join(parts[at:]).strip(" ,\n\t")


def read_old_references(text: str) -> tuple[Reference, ...]:
    """CAP 1.0: identifier/sender, without a time (clause 3.2.1 of CAP 1.0)."""
    parts = (word.partition("/") for word in text.split())
    return tuple(Reference(sender, identifier, None) for identifier, _, sender in parts)


def write_references(references: Iterable[Reference]) -> str:
    """sender,identifier,sent separated by spaces; a reference without a time cannot be said in CAP 1.2 and is left."""
    return " ".join(
        f"{one.sender},{one.identifier},{write_time(one.sent)}" for one in references if one.sent is not None
    )


def read_list(text: str) -> tuple[str, ...]:
    """Words separated by spaces; what has spaces in it stands in quotes (addresses, incidents)."""
    return tuple(quoted or plain for quoted, plain in _LISTED.findall(text))


def write_list(words: Iterable[str]) -> str:
    """The same, written; a quote within a word would end it and becomes an apostrophe."""
    clean = (word.replace('"', "'") for word in words)
    return " ".join(f'"{word}"' if re.search(r"\s", word) else word for word in clean)
