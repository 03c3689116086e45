"""The receipts that a gateway will send: on time, late, early, twice, never, under a wrong name, or for messages that
never were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from broadcaster.rehearsal.fates import Weather
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.wheel import Wheel
from channels.line.wire import ReceiptRow

AGAIN_AFTER = 0.5
"""Seconds between a receipt and its duplicate."""

WRONG_BY = 1
"""Messages between the one that a receipt is about and the one that it names by mistake."""


class Evidence:
    """One account's receipts until they are due; `owe` takes them then."""

    def __init__(self, prefix: str, owe: Callable[[list[ReceiptRow]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._prefix = prefix
        self._owe = owe
        self._wheel: Wheel[ReceiptRow] = Wheel(owe)
        self._strays = 0
        self.put = self._wheel.put

    def put_odd(self, moment: float, row: ReceiptRow, weather: Weather, pace: float) -> None:
        """A receipt about which something is unusual."""
        if weather.lost:
            return
        if weather.wrong and not weather.early:  # before the answer nobody could tell
            ref, alert, ordinal, attempt, good, reason = row
            row = (ref, alert, ordinal + WRONG_BY, attempt, good, reason)
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

    def stop(self) -> None:
        self._wheel.stop()

    def _stray(self) -> ReceiptRow:
        self._strays += 1
        return f"{self._prefix}x{self._strays}", 0, 0, 0, True, ""


def named(rows: list[ReceiptRow], behaviour: Behaviour) -> list[ReceiptRow]:
    """`rows` naming their messages the way this gateway does."""
    match behaviour.receipt_names:
        case "ref":
            return [(ref, 0, 0, 0, good, reason) for ref, _, _, _, good, reason in rows]
        case "key":
            return [("" if row[1] else row[0], *row[1:]) for row in rows]
        case _:
            return rows
