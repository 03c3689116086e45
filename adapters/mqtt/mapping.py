"""From a message's topic and JSON to readings, as the settings of a topic say: data alone, nothing is run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from broadcaster.clock import BEIJING
from broadcaster.sensing import LONGEST_CODE, Reading

MOST = 10_000
"""Readings of one message."""

_Element = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="要素名：小写字母开头，只含小写字母、数字和 _")
]
_Source = Annotated[
    str,
    Meta(
        pattern=r"^(topic:[0-9]{1,2}|json:[^\s]{1,200}|text:.{1,64})$", description="topic:层数、json:路径 或 text:文字"
    ),
]

_MILLISECONDS = 100_000_000_000  # seconds beyond the year 5000: the number counts milliseconds


class TopicOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is subscribed to, and where in its messages things stand.

    A source is `topic:N` (the Nth level of the topic, from 0), `json:a.b.0` (a way through the JSON) or `text:…`
    (always that). `list`: the way to a list of objects, each read by itself. `station` and, unless `values` says it,
    `element` and `value` name the reading; `values` is by way in the JSON which element it is. `time`: a number of
    seconds or milliseconds since 1970 or a text in ISO 8601 (without an offset it is Beijing's); without it a message
    is of when it came: then a message that comes twice is two readings. `scale` multiplies values by element.
    """

    topic: Annotated[str, Meta(min_length=1, max_length=1000)]
    station: _Source
    time: _Source | None = None
    element: _Source | None = None
    value: _Source | None = None
    values: dict[str, _Element] = {}
    list: str = ""
    names: dict[str, _Element] = {}
    scale: dict[str, float] = {}

    @property
    def fault(self) -> str:
        """What is wrong between the keys, "" for nothing."""
        if bool(self.values) == bool(self.element and self.value):
            return "values，或 element 和 value，写且只写一种"
        if "\0" in self.topic or self.topic.startswith("$share/"):
            return "topic 不能含空字符；共享订阅请用 share"
        return ""


class MappingError(ValueError):
    """The message is not what the settings say."""


def readings(options: TopicOptions, topic: str, payload: bytes, now: datetime) -> Iterator[Reading]:
    """The readings of one message; `MappingError` for one that is something else as a whole. A single value that is
    missing or no number is passed over."""
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MappingError("no JSON") from error
    entries = _way(document, options.list) if options.list else [document]
    if not isinstance(entries, list):
        raise MappingError(f"no list at {options.list}")
    if len(entries) > MOST:
        raise MappingError(f"more than {MOST} entries")
    levels = topic.split("/")
    for entry in entries:
        yield from _entry(options, levels, entry, document, now)


def _entry(options: TopicOptions, levels: list[str], entry: Any, document: Any, now: datetime) -> Iterator[Reading]:
    def find(source: str) -> Any:
        kind, _, rest = source.partition(":")
        if kind == "text":
            return rest
        if kind == "topic":
            return levels[int(rest)] if int(rest) < len(levels) else None
        found = _way(entry, rest)
        return _way(document, rest) if found is None and entry is not document else found

    station = find(options.station)
    if isinstance(station, int) and not isinstance(station, bool):
        station = str(station)
    if not isinstance(station, str) or not 0 < len(station) <= LONGEST_CODE:
        raise MappingError("no station")
    at = _moment(find(options.time)) if options.time else now
    if at is None:
        raise MappingError("no time")
    if options.values:
        pairs = [(element, find(f"json:{way}")) for way, element in options.values.items()]
    else:
        name = str(find(options.element or ""))
        pairs = [(options.names.get(name, name), find(options.value or ""))]
    for element, written in pairs:
        value = _number(written)
        if value is not None:
            yield Reading(station, element, at, value * options.scale.get(element, 1.0))


def _way(document: Any, way: str) -> Any:
    """What stands at `a.b.0`; None where nothing does."""
    for step in way.split("."):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdigit() and len(step) < 6:
            document = document[int(step)] if int(step) < len(document) else None
        else:
            return None
    return document


def _number(written: Any) -> float | None:
    if isinstance(written, bool):
        return float(written)
    if isinstance(written, str):
        try:
            written = float(written) if len(written) < 40 else None
        except ValueError:
            return None
    if not isinstance(written, int | float):
        return None
    try:
        value = float(written)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _moment(written: Any) -> datetime | None:
    try:
        if isinstance(written, str) and not written.isdecimal():
            at = datetime.fromisoformat(written)
            return at if at.tzinfo else at.replace(tzinfo=BEIJING)
        if isinstance(written, str | int | float) and not isinstance(written, bool):
            seconds = float(written)
            return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > _MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
