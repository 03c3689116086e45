"""Readings that instruments, or the platforms that collect for them, hand in."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web

from broadcaster.doorbell import WORK
from broadcaster.errors import InputError
from broadcaster.security.permissions import Action, require_somewhere
from broadcaster.sensing import LONGEST_CODE, LONGEST_ELEMENT, Reading
from broadcaster.triggers.readings import Readings
from broadcaster.web.endpoint import Call, Nothing, Table

table = Table("readings")
READINGS = web.AppKey("readings", Readings)

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CODE)]


class ReadingItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value. `station` is its code in the register, `element` a name such as `water_level` or `rainfall`; `at` is
    when it was measured, with its offset from UTC. The three name it: the same again changes nothing."""

    station: _Code
    element: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=LONGEST_ELEMENT)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    value: float


class ReadingBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 10,000 readings, in any order."""

    readings: Annotated[list[ReadingItem], msgspec.Meta(min_length=1, max_length=10_000)]


class KeptReadings(msgspec.Struct, frozen=True):
    """`stored` are new, `repeated` were there before; `doubtful` of the stored are kept but not used by rules;
    `refused` are too old or too far in the future; `unknown` are codes of stations that are not registered, or not in
    the caller's regions."""

    stored: int
    repeated: int
    doubtful: int
    refused: int
    unknown: list[str]


@table.endpoint(
    "POST",
    "/api/v1/readings",
    "Hand in readings of sensors",
    body=ReadingBatch,
    answers=KeptReadings,
    status=202,
    action=Action.SEND_READINGS,
)
async def hand_in_readings(call: Call[ReadingBatch, Nothing]) -> KeptReadings:
    """Stored before it is answered. What belongs to stations of other regions is told back as unknown."""
    scopes = require_somewhere(call.actor, Action.SEND_READINGS)
    items = call.body.readings
    if not all(math.isfinite(item.value) for item in items):
        raise InputError("读数不是有限的数。", remedy="请去掉没有测到的值。")
    readings = [Reading(item.station, item.element, item.at, item.value) for item in items]
    kept = await call.request.app[READINGS].keep(readings, source=f"api:{call.actor.account_id}", scopes=scopes)
    call.afterwards.append(lambda: call.context.bell.ring(WORK))
    return KeptReadings(kept.stored, kept.repeated, kept.doubtful, kept.refused, sorted(kept.unknown)[:100])
