"""One `send`: every message in its parts within the window, one outcome for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

from broadcaster.ports import Accepted, Deferred, Envelope, Outcome, Rejected, Unknown
from channels.sms.parts import MOST_PARTS, Part, parts
from channels.sms.session.events import Answered, Verdict
from channels.sms.session.link import Link
from channels.sms.session.reports import Expected, Reports

RETRY_AFTER = 1.0
"""Seconds until what was not written, or was throttled, may be tried again."""

UNFIT_AFTER = 30.0
"""The same where the gateway does not let the account send: somebody has to see to it."""

AHEAD = 32
"""Messages that are made ready while nothing may be written."""

MOST_TRIES = 5
"""How often a part of a message is tried whose other parts the gateway has taken already."""


class _Message:
    """A message on its way: parts not written yet (the next is the last), parts without an answer, how many were
    taken, and what reports are expected of them."""

    __slots__ = ("envelope", "expected", "left", "open", "over", "sending", "taken", "tries", "written")

    def __init__(self, sending: Sending, envelope: Envelope, left: list[Part]) -> None:
        self.sending = sending
        self.envelope = envelope
        self.left = left
        self.open = 0
        self.written = False
        self.over = False
        self.tries = 0
        self.taken = 0
        self.expected: Expected | None = None

    def answered(self, part: Part, answer: Answered) -> None:
        """The gateway's word on one of its parts."""
        self.open -= 1
        if not self.over:
            self.sending.judge(self, part, answer)


class Sending:
    """The state of one `send`."""

    def __init__(self, link: Link, reports: Reports) -> None:
        self._link = link
        self._reports = reports
        self._waiting: deque[_Message] = deque()
        self._open: set[_Message] = set()
        self._again: list[asyncio.TimerHandle] = []
        self._outcomes: list[Outcome] = []
        self._changed = asyncio.Event()
        self._envelopes: Iterator[Envelope] = iter(())

    async def run(self, batch: Sequence[Envelope]) -> AsyncIterator[list[Outcome]]:
        """Outcomes in the bunches in which they came, until each envelope has one."""
        link = self._link
        link.waiting[self] = self._changed
        self._envelopes, settled, total = iter(batch), 0, len(batch)
        try:
            while settled < total:
                self._changed.clear()
                self.fill()
                if not link.open_for_more:
                    self._outcomes += [Deferred(one.key, "not connected", RETRY_AFTER) for one in self._envelopes]
                if not link.alive:
                    self._give_up()
                if not self._outcomes:
                    self._prepare()
                if not self._outcomes:
                    await self._changed.wait()
                    continue
                outcomes, self._outcomes = self._outcomes, []
                settled += len(outcomes)
                yield outcomes
        finally:
            link.waiting.pop(self, None)
            for handle in self._again:
                handle.cancel()

    def fill(self) -> None:
        """Write as much as there is room for. The connection asks for it as soon as answers have come, before anybody
        learns of them: what the window could hold in the meantime would be lost."""
        link = self._link
        room = link.room
        while room > 0 and (self._waiting or self._begin()):
            if self._waiting:
                room -= self._write(self._waiting[0])
        link.flush()

    def _prepare(self) -> None:
        """While the gateway takes its time: cut the texts that are next."""
        while len(self._waiting) < AHEAD and self._begin():
            pass

    def _begin(self) -> bool:
        """Have one more message wait to be written; whether there was one."""
        envelope = next(self._envelopes, None)
        if envelope is None:
            return False
        cut = parts(envelope.message.text, envelope.key.ordinal)
        if len(cut) > MOST_PARTS:
            self._outcomes.append(Rejected(envelope.key, f"{len(cut)} parts; at most {MOST_PARTS} can be joined"))
            return True
        message = _Message(self, envelope, list(reversed(cut)))
        self._open.add(message)
        self._waiting.append(message)
        return True

    def _write(self, message: _Message) -> int:
        """Submit the next part of the first message that waits; how many that were."""
        if message.over or not message.left:
            self._waiting.popleft()
            return 0
        part = message.left.pop()
        if not message.left:
            self._waiting.popleft()
        message.open += 1
        message.written = True
        envelope = message.envelope
        self._link.submit(part, envelope.address, envelope.urgency, envelope.expires, message)
        return 1

    def judge(self, message: _Message, part: Part, answer: Answered) -> None:
        """A part of a message that is not over has its answer."""
        key, verdict = message.envelope.key, answer.verdict
        if verdict is Verdict.ACCEPTED:
            message.taken += 1
            if part.total > 1:
                message.expected = message.expected or Expected(key, part.total)
                self._reports.expect(message.expected, answer.ref)
            if message.taken == part.total:
                self._over(message, Accepted(key, answer.ref))
        elif verdict is Verdict.REFUSED:
            self._over(message, Rejected(key, answer.why))
        elif verdict is Verdict.UNFIT:
            self._over(message, self._not_now(message, answer.why, UNFIT_AFTER))
        elif part.total == 1:
            self._over(message, Deferred(key, answer.why, RETRY_AFTER))
        else:
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
        if message.taken or message.open:
            return Unknown(message.envelope.key, f"some parts were taken, others not: {why}")
        return Deferred(message.envelope.key, why, after)

    def _over(self, message: _Message, outcome: Outcome) -> None:
        message.over = True
        message.left.clear()
        self._open.discard(message)
        self._outcomes.append(outcome)

    def _give_up(self) -> None:
        """The connection is over: what was written and not answered may or may not go out."""
        why = self._link.ended.result() if self._link.ended.done() else "not connected"
        for message in list(self._open):
            key = message.envelope.key
            self._over(message, Unknown(key, why) if message.written else Deferred(key, why, RETRY_AFTER))
        self._waiting.clear()
