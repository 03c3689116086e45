"""The driver of a SIP trunk: one call for each message, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from broadcaster.errors import InputError
from broadcaster.ports import (
    Accepted,
    Capabilities,
    Deferred,
    Envelope,
    Evidence,
    Inbox,
    Journal,
    Outcome,
    Receipt,
    Rejected,
    Reply,
    Sent,
    Unknown,
)
from channels.voice.channel import address, check
from channels.voice.sip.call import LOST_AFTER, Call
from channels.voice.sip.exchange import Exchange
from channels.voice.sip.intake import Intake
from channels.voice.sip.lines import Lines
from channels.voice.sip.media.recording import RecordingError
from channels.voice.sip.settings import SipOptions
from channels.voice.sip.terms import Ending, Order
from channels.voice.sip.trunk import Trunk
from channels.voice.sip.verdict import BARRED
from channels.voice.sip.wire import Where

BATCH_MAX = 1000
RINGS, SAYS = 12.0, 30.0
"""Seconds that a phone rings and a recording lasts, about: what a call is taken to hold its line for beforehand."""

NOT_CONNECTED = "网关未连接"
RECALLED = "已撤回"
STOPPED = "外呼系统停止"


class SipDriver:
    """One slot: a way of its own to the trunk, and its lines. Safe to `open` again after it was lost."""

    def __init__(self, options: SipOptions, where: Where, exchange: Exchange, journal: Journal) -> None:
        self.capabilities = Capabilities(
            receipts=True,
            replies=True,
            window=options.lines,
            batch_max=BATCH_MAX,
            holds=RINGS + options.repeats * SAYS,
        )
        self._options = options
        self._where = where
        self._exchange = exchange
        self._journal = journal
        self._lines = Lines(options.lines)
        self._trunk: Trunk | None = None
        self._intake: Intake | None = None

    async def open(self, inbox: Inbox) -> None:
        """Reach the trunk, and sign in where that is wanted; raises `UnavailableError`."""
        await self.close()
        trunk = Trunk(self._options, self._where, self._exchange.pacer(), self._journal)
        await trunk.open()
        self._exchange.join(trunk)
        self._trunk, self._intake = trunk, Intake(inbox, self._journal)
        self._lines.open()

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, as soon as the trunk has taken its call or has not."""
        trunk, intake = self._trunk, self._intake
        if trunk is None or intake is None or trunk.ended.done():
            for envelope in batch:
                yield Deferred(envelope.key, NOT_CONNECTED, LOST_AFTER)
            return
        self._lines.want(len(batch))
        placing = [asyncio.create_task(self._place(trunk, intake, envelope)) for envelope in batch]
        try:
            for outcome in asyncio.as_completed(placing):
                yield await outcome
        finally:
            for task in placing:
                task.cancel()
            await asyncio.gather(*placing, return_exceptions=True)

    def free(self) -> int:
        """Lines on which nobody calls or waits to."""
        return self._lines.free

    def when_freed(self, call: Callable[[], None]) -> None:
        self._lines.when_freed(call)

    async def recall(self, sent: Sequence[Sent]) -> None:
        """End these calls, on whichever of the gateway's connections in this process they are."""
        wanted, refs = {one.key for one in sent}, {one.ref for one in sent if one.ref}
        found = [call for call in self._exchange.calls() if call.order.key in wanted or call.call_id in refs]
        for call in found:
            call.recall(RECALLED)
        if found:
            self._journal.note("→", f"撤回 {len(found)} 通电话")

    async def lost(self) -> str:
        """Returns the reason once there is no trunk (any more), also while nobody calls."""
        return NOT_CONNECTED if self._trunk is None else await asyncio.shield(self._trunk.ended)

    async def close(self) -> None:
        """Let calls come to their end for a while, end the others, store what came of them, sign out. Cancelled while
        calls go on, it ends them at once and does the rest all the same: nobody else could tell what came of them."""
        trunk, intake = self._trunk, self._intake
        if trunk is None or intake is None:
            return
        self._trunk = self._intake = None
        self._lines.close()
        try:
            await _over(trunk, self._options.farewell)
        finally:
            await self._part(trunk, intake)

    async def _part(self, trunk: Trunk, intake: Intake) -> None:
        within = self._options.connect_timeout
        try:
            for call in list(trunk.calls):
                call.recall(STOPPED)
            await _over(trunk, within)
        finally:
            for call in list(trunk.calls):
                call.cut(STOPPED)
            try:
                await intake.finish(within)
                await trunk.leave(within)
            finally:
                trunk.close()

    async def _place(self, trunk: Trunk, intake: Intake, envelope: Envelope) -> Outcome:
        """Wait for a line and call."""
        key = envelope.key
        try:
            order = await self._order(envelope)
        except (InputError, RecordingError) as problem:
            self._lines.give_up()
            return Rejected(key, problem.what if isinstance(problem, InputError) else str(problem))
        except BaseException:
            self._lines.give_up()
            raise
        if not await self._lines.take():
            return Deferred(key, NOT_CONNECTED, LOST_AFTER)
        if trunk.ended.done():
            self._lines.release()
            return Deferred(key, NOT_CONNECTED, LOST_AFTER)
        try:
            call = trunk.place(order, self._told(intake), self._pressed(intake))
        except OSError as problem:
            self._lines.release()
            return Deferred(key, f"没有可用的语音端口：{problem.strerror}", LOST_AFTER)
        call.over.add_done_callback(lambda _: self._lines.release())
        self._journal.note("→", f"INVITE {key}")
        outcome = self._judged(call, await asyncio.shield(call.outcome))
        self._journal.note("←", f"{key} {_said(outcome)}")
        if isinstance(outcome, Unknown):
            trunk.end(outcome.reason)
        return outcome

    def _judged(self, call: Call, outcome: Outcome) -> Outcome:
        """The outcome, in which a refusal that means the number is final."""
        refusals = self._exchange.refusals
        if isinstance(outcome, Accepted | Rejected):
            refusals.passed()
        elif call.doubted and refusals.mean(call.order.dialled):
            return Rejected(outcome.key, BARRED.words)
        return outcome

    async def _order(self, envelope: Envelope) -> Order:
        number = address(envelope.address)
        check(envelope.message)
        audio = envelope.message.audio
        if audio is None:
            raise InputError("语音外呼没有录音。")
        return Order(envelope, f"{self._options.prefix}{number}", await self._exchange.recordings.get(audio))

    def _told(self, intake: Intake) -> Callable[[Call, Ending], None]:
        def told(call: Call, ending: Ending) -> None:
            self._journal.note("←", f"{call.order.key} {'听完' if ending.good else ending.reason}")
            evidence = Evidence.DELIVERED if ending.good else Evidence.FAILED
            intake.receipt(Receipt(call.call_id, call.order.key, evidence, ending.reason, datetime.now(UTC)))

        return told

    def _pressed(self, intake: Intake) -> Callable[[Call, str], None]:
        def pressed(call: Call, key: str) -> None:
            self._journal.note("←", f"{call.order.key} 按键")
            name, who = f"{call.call_id}/{call.keys}", call.order.envelope.address
            intake.reply(Reply(name, who, key, datetime.now(UTC), call.order.key))

        return pressed


async def _over(trunk: Trunk, within: float) -> None:
    """Wait until every call is over, or until `within` seconds have passed."""
    calls = [call.over for call in trunk.calls]
    if calls:
        await asyncio.wait(calls, timeout=within)


def _said(outcome: Outcome) -> str:
    return "中继已接" if isinstance(outcome, Accepted) else f"{type(outcome).__name__} {outcome.reason}"
