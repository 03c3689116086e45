"""What an adapter of instruments implements, and the values that cross that line.

An adapter speaks one protocol of measuring stations: it listens on a port or holds a session with a broker, takes
frames apart and hands over readings. It acknowledges to the other side only what is stored, and it sees no database
and no rule: those are the core's (`broadcaster.triggers`). Adapters are registered by entry points in the group
`broadcaster.adapters`, named by their kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from broadcaster.ports import Journal

LONGEST_CODE = 64
"""Characters of a station's code, as it calls itself."""

LONGEST_ELEMENT = 32
"""Characters of an element's name."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one element at one station. `at` is when it was measured, aware; `value` in the element's unit (see
    `triggers/elements.py`). Station, element and time name it: the same again changes nothing."""

    station: str
    element: str
    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """One `[[sensors]]` of the settings; `options` are the kind's own keys."""

    name: str
    kind: str
    options: Mapping[str, object] = field(default_factory=dict)


class Sink(Protocol):
    """Where an adapter puts what it reads."""

    async def keep(self, readings: Sequence[Reading]) -> None:
        """Judge and store them; durable when this returns: acknowledge after that. Of a reading that cannot be used
        (an unknown station, a time of long ago) a count is kept. Raises what the database raises: then nothing is
        stored, and nothing may be acknowledged."""
        ...


class Sensor(Protocol):
    """One configured adapter, as the one process uses it that has the lease."""

    async def run(self, sink: Sink) -> None:
        """Listen until cancelled, then let go of the port or the session. Never raises for what the other side does;
        `UnavailableError` when it cannot listen now: it is run again a little later."""
        ...


@runtime_checkable
class SensorPlugin(Protocol):
    """What an entry point leads to."""

    kind: str

    def sensor(self, settings: SensorSettings, journal: Journal) -> Sensor:
        """An adapter; connects to nothing. `SettingsError` when an option is wrong."""
        ...
