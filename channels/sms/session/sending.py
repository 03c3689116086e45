"""One `send`: every message in its parts within the window, one outcome for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from broadcaster.ports import Accepted, Deferred, Envelope, Outcome, Rejected, Unknown
from channels.sms.parts import MOST_PARTS, Part, parts
from channels.sms.session.events import Answered, Verdict
from channels.sms.session.link import Link
from channels.sms.session.reports import Reports

RETRY_AFTER = 1.0
"""Seconds until what was not written, or was throttled, may be tried again."""

UNFIT_AFTER = 30.0
"""The same where the gateway does not let the account send: somebody has to see to it."""

MOST_TRIES = 5
"""How often a part of a message is tried whose other parts the gateway has taken already."""


@dataclass(slots=True, eq=False)
class _Message:
    """A message on its way: parts not written yet, parts without an answer, the ids of those that were taken."""

    envelope: Envelope
    left: deque[Part]
    open: int = 0
    written: bool = False
    over: bool = False
    tries: int = 0
    refs: list[str] = field(default_factory=list)


class Sending:
    """The state of one `send`."""

    def __init__(self, link: Link, reports: Reports) -> None:
        self._link = link
        self._reports = reports
        self._waiting: deque[_Message] = deque()
        self._written: dict[int, _Message] = {}
        self._again: list[asyncio.TimerHandle] = []
        self._outcomes: list[Outcome] = []
        self._changed = asyncio.Event()

    async def run(self, batch: Sequence[Envelope]) -> AsyncIterator[list[Outcome]]:
        """Outcomes in the bunches in which they came, until each envelope has one."""
        link = self._link
        link.waiting.add(self._changed)
        envelopes, settled, total = iter(batch), 0, len(batch)
        fresh = next(envelopes, None)
        try:
            while settled < total:
                self._changed.clear()
                while link.room > 0 and (self._waiting or fresh is not None):
                    if self._waiting:
                        self._write(self._waiting[0])
                    elif fresh is not None:
                        self._begin(fresh)
                        fresh = next(envelopes, None)
                if not link.open_for_more and fresh is not None:
                    self._outcomes.append(Deferred(fresh.key, "not connected", RETRY_AFTER))
                    self._outcomes += [Deferred(one.key, "not connected", RETRY_AFTER) for one in envelopes]
                    fresh = None
                if not link.alive:
                    self._give_up()
                if not self._outcomes:
                    await self._changed.wait()
                    continue
                outcomes, self._outcomes = self._outcomes, []
                settled += len(outcomes)
                yield outcomes
        finally:
            link.waiting.discard(self._changed)
            for handle in self._again:
                handle.cancel()

    def _begin(self, envelope: Envelope) -> None:
        cut = parts(envelope.message.text, envelope.key.ordinal)
        if len(cut) > MOST_PARTS:
            self._outcomes.append(Rejected(envelope.key, f"{len(cut)} parts; at most {MOST_PARTS} can be joined"))
            return
        message = _Message(envelope, deque(cut))
        self._written[id(message)] = message
        self._waiting.append(message)

    def _write(self, message: _Message) -> None:
        """Write the next part of the first message that waits."""
        if message.over or not message.left:
            self._waiting.popleft()
            return
        part = message.left.popleft()
        if not message.left:
            self._waiting.popleft()
        message.open += 1
        message.written = True
        envelope = message.envelope
        self._link.submit(
            part,
            envelope.address,
            envelope.urgency,
            envelope.expires,
            lambda answer: self._answered(message, part, answer),
        )

    def _answered(self, message: _Message, part: Part, answer: Answered) -> None:
        message.open -= 1
        if message.over:
            return
        key = message.envelope.key
        match answer.verdict:
            case Verdict.ACCEPTED:
                message.refs.append(answer.ref)
                if not message.left and not message.open and len(message.refs) == part.total:
                    self._reports.expect(key, message.refs)
                    self._over(message, Accepted(key, message.refs[-1]))
            case Verdict.REFUSED:
                self._over(message, Rejected(key, answer.why))
            case Verdict.UNFIT:
                self._over(message, self._not_now(message, answer.why, UNFIT_AFTER))
            case Verdict.THROTTLED if part.total == 1:
                self._over(message, Deferred(key, answer.why, RETRY_AFTER))
            case Verdict.THROTTLED:
                self._throttled(message, part, answer.why)

    def _throttled(self, message: _Message, part: Part, why: str) -> None:
        """A part of several waits its turn: whoever has got half a message should get the other half."""
        message.tries += 1
        if message.tries > MOST_TRIES:
            self._over(message, self._not_now(message, why, RETRY_AFTER))
            return

        def again() -> None:
            if not message.over:
                message.left.append(part)
                self._waiting.append(message)
                self._changed.set()

        self._again.append(asyncio.get_running_loop().call_later(RETRY_AFTER, again))

    @staticmethod
    def _not_now(message: _Message, why: str, after: float) -> Outcome:
        if message.refs or message.open:
            return Unknown(message.envelope.key, f"some parts were taken, others not: {why}")
        return Deferred(message.envelope.key, why, after)

    def _over(self, message: _Message, outcome: Outcome) -> None:
        message.over = True
        message.left.clear()
        del self._written[id(message)]
        self._outcomes.append(outcome)

    def _give_up(self) -> None:
        """The connection is over: what was written and not answered may or may not go out."""
        why = self._link.ended.result() if self._link.ended.done() else "not connected"
        for message in list(self._written.values()):
            key = message.envelope.key
            self._over(message, Unknown(key, why) if message.written else Deferred(key, why, RETRY_AFTER))
        self._waiting.clear()
