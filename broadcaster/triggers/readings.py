"""Keeping readings: judged and stored a batch at a time, each once, in one transaction.

The rows of the series that a batch touches are locked in one order, so that two processes never judge a value by what
the other is about to change. New rows come by COPY; where one of them is there already, the batch goes another way.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, TypeAlias

from asyncpg import UniqueViolationError

from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.sensing import LONGEST_CODE, Reading
from broadcaster.triggers.days import Days, day_of
from broadcaster.triggers.elements import is_element
from broadcaster.triggers.quality import AHEAD_MOST, Track, Verdict
from broadcaster.triggers.sql import SQL
from broadcaster.triggers.station import NO_LIMITS, LimitsByElement, read_limits

MOST = 20_000
"""Readings of one transaction."""

MOST_STRANGERS = 500
"""Codes of unknown stations that are remembered."""

_Pair: TypeAlias = tuple[str, str]
_Row: TypeAlias = tuple[int, datetime, float, int]
_COLUMNS = ("series_id", "at", "value", "verdict")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a batch: `stored` are new, `repeated` were there; `doubtful` of the stored are kept but not used
    by rules; `refused` cannot be kept at all (no number, no element's name, too long ago, too far ahead); `unknown` are
    the codes of stations that nobody registered, or not for who is asking, with how many readings."""

    stored: int = 0
    repeated: int = 0
    doubtful: int = 0
    refused: int = 0
    unknown: dict[str, int] = field(default_factory=dict)


class Readings:
    """Where readings go. `keep_days`: how long they are kept."""

    def __init__(self, database: Database, clock: Clock, keep_days: int) -> None:
        self._database = database
        self._clock = clock
        self._keep_days = keep_days
        self._days = Days(database)
        self._limits: dict[str, LimitsByElement] = {}

    async def keep(self, readings: Sequence[Reading], *, source: str, scopes: tuple[str, ...] | None = None) -> Kept:
        """Judge and store them, at most `MOST`; durable when this returns. `scopes`: only stations in these regions."""
        now = self._clock.now()
        oldest = day_of(now) - timedelta(days=self._keep_days)
        fit = [one for one in readings if _fits(one, oldest, now)]
        fit.sort(key=_order)
        await self._days.ensure({day_of(one.at) for one in fit})
        async with self._database.transaction() as connection:
            return await self._store(connection, fit, now, source, scopes, refused=len(readings) - len(fit))

    async def forget_old(self) -> int:
        """Drop the days that are kept no longer, and have the next ones at hand; how many went."""
        today = day_of(self._clock.now())
        await self._days.ensure((today, today + timedelta(days=1)))
        return await self._days.drop_before(today - timedelta(days=self._keep_days))

    async def _store(
        self,
        connection: Connection,
        fit: list[Reading],
        now: datetime,
        source: str,
        scopes: tuple[str, ...] | None,
        refused: int,
    ) -> Kept:
        pairs = {key: list(group) for key, group in groupby(fit, key=_pair)}
        tracks = await self._hold(connection, list(pairs), scopes)
        rows: list[_Row] = []
        heard: set[str] = set()
        for pair, (series, track) in tracks.items():
            judged = list(_judged(series, track, pairs[pair], now))
            rows += judged
            heard |= {pair[0] for *_, verdict in judged if verdict != Verdict.FUTURE}
        stored = await _write(connection, rows)
        if rows:
            await _move(connection, tracks.values(), now)
            spoke = {code for code, _ in tracks}
            await connection.execute(SQL["hear_stations"], sorted(spoke), now, sorted(spoke - heard))
        unknown: Counter[str] = Counter()
        for pair in pairs.keys() - tracks.keys():
            unknown[pair[0]] += len(pairs[pair])
        if unknown and scopes is None:
            codes = sorted(unknown)
            counts = [unknown[code] for code in codes]
            await connection.execute(SQL["note_strangers"], codes, counts, source, now, MOST_STRANGERS)
        known = sum(len(pairs[pair]) for pair in tracks)
        doubtful = sum(verdict > 1 for _, _, _, verdict in rows)
        return Kept(stored, known - stored, doubtful, refused, dict(unknown))

    async def _hold(
        self, connection: Connection, pairs: list[_Pair], scopes: tuple[str, ...] | None
    ) -> dict[_Pair, tuple[int, Track]]:
        codes, elements = [code for code, _ in pairs], [element for _, element in pairs]
        found = await connection.fetch(SQL["hold_series"], codes, elements)
        if len(found) < len(pairs):
            await connection.execute(SQL["begin_series"], codes, elements)
            found = await connection.fetch(SQL["hold_series"], codes, elements)
        return {
            (row["code"], row["element"]): (row["id"], self._track(row))
            for row in found
            if scopes is None or row["region_code"].startswith(scopes)
        }

    def _track(self, row: Any) -> Track:
        written = row["limits"]
        if written not in self._limits:
            if len(self._limits) > MOST:
                self._limits.clear()
            self._limits[written] = read_limits(written)
        limits = self._limits[written].get(row["element"], NO_LIMITS)
        return Track(
            row["element"],
            limits,
            row["last_at"],
            row["last_value"] or 0.0,
            row["last_verdict"],
            row["good_at"],
            row["good_value"] or 0.0,
            row["same_since"],
        )


def _pair(one: Reading) -> _Pair:
    return one.station, one.element


def _order(one: Reading) -> tuple[str, str, datetime]:
    return one.station, one.element, one.at


def _fits(one: Reading, oldest: date, now: datetime) -> bool:
    return (
        math.isfinite(one.value)
        and 0 < len(one.station) <= LONGEST_CODE
        and one.station.isprintable()
        and is_element(one.element)
        and one.at <= now + AHEAD_MOST
        and day_of(one.at) >= oldest
    )


def _judged(series: int, track: Track, group: Iterable[Reading], now: datetime) -> Iterable[_Row]:
    """The rows of one series; of several readings of one moment the first stands."""
    before: datetime | None = None
    for one in group:
        if one.at != before:
            before = one.at
            yield series, one.at, one.value, int(track.judge(one.at, one.value, now))


async def _write(connection: Connection, rows: list[_Row]) -> int:
    """How many of them were new."""
    if not rows:
        return 0
    try:
        async with connection.transaction():
            await connection.copy_records_to_table("reading", records=rows, columns=_COLUMNS)
        return len(rows)
    except UniqueViolationError:
        status: str = await connection.execute(SQL["add_readings"], *map(list, zip(*rows, strict=True)))
        return int(status.rpartition(" ")[2])


async def _move(connection: Connection, tracks: Iterable[tuple[int, Track]], now: datetime) -> None:
    columns = zip(
        *(
            (
                series,
                track.last_at,
                track.last_value,
                track.last_verdict,
                track.good_at,
                track.good_value,
                track.same_since,
            )
            for series, track in tracks
        ),
        strict=True,
    )
    await connection.execute(SQL["move_series"], *map(list, columns), now)
