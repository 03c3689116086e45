"""The receipts that a gateway will send: on time, late, early, twice, never, under a wrong name, or for messages that
never were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from broadcaster.rehearsal.fates import Weather
from broadcaster.rehearsal.names import Names
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.wheel import Wheel
from channels.line.wire import ReceiptRow

Proof: TypeAlias = tuple[str, int, int, int, bool, str, str, int]
"""the gateway's message id, alert (0 = the protocol has no room for our key), ordinal, attempt, delivered?, reason;
then what a carrier's report repeats: the address, and in how many parts the message came."""

AGAIN_AFTER = 0.5
"""Seconds between a receipt and its duplicate."""

WRONG_BY = 1
"""Messages between the one that a receipt is about and the one that it names by mistake."""

NOBODY = "13800000000"
"""Whom a report names that is about a message that never was."""


class Evidence:
    """One account's receipts until they are due; `owe` takes them then."""

    def __init__(self, names: Names, owe: Callable[[list[Proof]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._names = names
        self._owe = owe
        self._wheel: Wheel[Proof] = Wheel(self._come_due)
        self._cut_short: set[str] = set()
        self.put = self._wheel.put

    def put_odd(self, moment: float, row: Proof, weather: Weather, pace: float) -> None:
        """A receipt about which something is unusual."""
        if weather.lost:
            return
        if weather.wrong and not weather.early and row[1]:  # before the answer nobody could tell
            ref, alert, ordinal, attempt, good, reason, address, parts = row
            row = (ref, alert, ordinal + WRONG_BY, attempt, good, reason, address, parts)
        if weather.early:
            self._owe([row])
        else:
            self.put(moment, row)
        if weather.duplicate:
            self.put(max(moment, self._loop.time()) + AGAIN_AFTER * pace, row)
        if weather.stray:
            self.put(moment, self._stray())

    def stray(self, count: int) -> None:
        """Owe receipts for messages that never were, now."""
        self._owe([self._stray() for _ in range(count)])

    def cut_short(self, row: Proof) -> None:
        """What was to be proved later has failed: `row` is owed now, and nothing else about its message."""
        self._owe([row])
        self._cut_short.add(row[0])

    def stop(self) -> None:
        self._wheel.stop()

    def _come_due(self, rows: list[Proof]) -> None:
        if self._cut_short:
            rows = [row for row in rows if row[0] not in self._cut_short]
        if rows:
            self._owe(rows)

    def _stray(self) -> Proof:
        return self._names.stray(), 0, 0, 0, True, "", NOBODY, 1


def plain(rows: list[Proof]) -> list[ReceiptRow]:
    """`rows` as the line and the logbook have them."""
    return [row[:6] for row in rows]


def named(rows: list[ReceiptRow], behaviour: Behaviour) -> list[ReceiptRow]:
    """`rows` naming their messages the way this gateway does."""
    match behaviour.receipt_names:
        case "ref":
            return [(ref, 0, 0, 0, good, reason) for ref, _, _, _, good, reason in rows]
        case "key":
            return [("" if row[1] else row[0], *row[1:]) for row in rows]
        case _:
            return rows
