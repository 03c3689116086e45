"""One `send` on a rehearsal line: frames within the window, one outcome for each envelope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeAlias

from broadcaster.ports import Accepted, Deferred, DeliveryKey, Envelope, Message, Outcome, Rejected, Unknown
from channels.line.link import Link
from channels.line.mould import cast
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow, LineError, SubmitRow

Compose: TypeAlias = Callable[[Message], Sequence[str]]
"""A message's parts on the line: text, subject, html, url, audio's sha256, then field names and values; short if the
later ones do not apply."""

RETRY_AFTER = 1.0
"""Seconds until a message that was not even written may be tried again."""

LONGEST_WAIT = 86_400.0
"""Seconds that a gateway may ask us to wait."""

FRAMES_PER_WINDOW = 4
FRAME_ROWS_MAX = 500


class Sending:
    """The state of one `send`: what was written and not answered, what was answered and not yet handed over."""

    def __init__(self, link: Link, compose: Compose, window: int) -> None:
        self._link = link
        self._compose = compose
        self._frame_rows = max(1, min(FRAME_ROWS_MAX, window // FRAMES_PER_WINDOW))
        self._open: list[list[DeliveryKey | None]] = []
        self._outcomes: list[Outcome] = []
        self._changed = asyncio.Event()

    async def run(self, batch: Sequence[Envelope]) -> AsyncIterator[list[Outcome]]:
        """Outcomes in the bunches in which they came, until each envelope has one."""
        self._link.senders.add(self._changed)
        try:
            written, settled = 0, 0
            while settled < len(batch):
                self._changed.clear()
                written = self._write(batch, written)
                if not self._link.open_for_more and written < len(batch):
                    self._outcomes += [Deferred(e.key, "not connected", RETRY_AFTER) for e in batch[written:]]
                    written = len(batch)
                if not self._link.alive:
                    self._give_up()
                if not self._outcomes:
                    await self._wait(short_of_room=written < len(batch))
                    continue
                outcomes, self._outcomes = self._outcomes, []
                settled += len(outcomes)
                yield outcomes
        finally:
            self._link.senders.discard(self._changed)

    async def _wait(self, *, short_of_room: bool) -> None:
        if short_of_room:
            self._link.short_of_room.add(self._changed)
        try:
            await self._changed.wait()
        finally:
            self._link.short_of_room.discard(self._changed)

    def _write(self, batch: Sequence[Envelope], written: int) -> int:
        while self._link.open_for_more:
            size = min(self._frame_rows, len(batch) - written)
            if size == 0 or self._link.room() < size:
                break
            self._submit(batch[written : written + size])
            written += size
        return written

    def _submit(self, envelopes: Sequence[Envelope]) -> None:
        places: dict[int, int] = {}
        distinct: list[Message] = []
        rows: list[SubmitRow] = []
        expires, expires_at = None, 0.0
        for envelope in envelopes:
            message = envelope.message
            place = places.get(id(message))
            if place is None:
                place = places[id(message)] = len(distinct)
                distinct.append(message)
            if envelope.expires is not expires:
                expires = envelope.expires
                expires_at = expires.timestamp()
            alert, ordinal, attempt = envelope.key
            rows.append((alert, ordinal, attempt, envelope.address, place, envelope.urgency, expires_at))
        keys: list[DeliveryKey | None] = [envelope.key for envelope in envelopes]
        self._open.append(keys)
        compose = self._compose
        heads, tails, messages = cast([compose(message) for message in distinct])
        self._link.submit(heads, tails, messages, rows, partial(self._answered, keys))

    def _answered(self, keys: list[DeliveryKey | None], rows: list[AnswerRow]) -> int:
        outcomes = self._outcomes
        before = len(outcomes)
        for index, verdict, detail, after in rows:
            if not 0 <= index < len(keys):
                raise LineError(f"An answer to row {index} of a frame of {len(keys)}.")
            if not 0 <= after < LONGEST_WAIT:
                raise LineError(f"{after!r} seconds are no time to wait.")
            key = keys[index]
            if key is None:
                continue
            keys[index] = None
            if verdict == ACCEPTED:
                outcomes.append(Accepted(key, detail))
            elif verdict == DEFERRED:
                outcomes.append(Deferred(key, detail, after))
            elif verdict == REJECTED:
                outcomes.append(Rejected(key, detail))
            else:
                outcomes.append(Unknown(key, f"verdict {verdict}"))
        self._changed.set()
        return len(outcomes) - before

    def _give_up(self) -> None:
        """The connection is over: whatever was written and not answered may or may not have been sent."""
        reason = self._link.ended.result()
        self._outcomes += [Unknown(key, reason) for keys in self._open for key in keys if key is not None]
        self._open = []
