"""The driver of a carrier's gateway; the protocols differ only in their dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from broadcaster.errors import UnavailableError
from broadcaster.ports import Capabilities, Deferred, Envelope, Inbox, Journal, Outcome
from channels.sms.parts import count
from channels.sms.session.door import Door
from channels.sms.session.events import Dialect
from channels.sms.session.intake import Intake, Judge
from channels.sms.session.link import Link, Patience
from channels.sms.session.memory import Memory
from channels.sms.session.sending import RETRY_AFTER, Sending

BATCH_MAX = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """Where a gateway is, and how it is treated; times in seconds."""

    host: str
    port: int
    window: int
    connect_timeout: float
    patience: Patience


class CarrierDriver:
    """One connection. Safe to `open` again after it was lost.

    Where the gateway brings reports on connections of its own, it does so through the account's `door`.
    """

    def __init__(
        self,
        line: Line,
        dialect: Callable[[], Dialect],
        judge: Judge,
        memory: Memory,
        journal: Journal,
        door: Door | None = None,
    ) -> None:
        self.capabilities = Capabilities(
            receipts=True, replies=True, window=line.window, batch_max=BATCH_MAX, by_parts=True
        )
        self._line = line
        self._dialect = dialect
        self._judge = judge
        self._memory = memory
        self._journal = journal
        self._door = door
        self._link: Link | None = None
        self._intake: Intake | None = None

    async def open(self, inbox: Inbox) -> None:
        """Connect and sign in; raises `UnavailableError` when the gateway does not answer, or does not let us in."""
        await self.close()
        line, memory, journal = self._line, self._memory, self._journal
        intake = Intake(inbox, journal, memory, self._judge)
        dialect, now = self._dialect(), datetime.now(UTC)
        link = Link(dialect, line.window, line.patience, journal, intake.arrive, memory.flight, now)
        try:
            if self._door is not None:
                await self._door.enter(self, inbox, journal)
            await self._connect(link)
            await asyncio.wait([link.signed_in], timeout=line.connect_timeout)
            if not link.signed_in.done():
                link.end("no answer to the sign-in")
            if not link.alive:
                raise UnavailableError(
                    f"短信网关 {line.host}:{line.port} 没有接受登录：{link.ended.result()}。",
                    remedy="请核对账号、密码、协议版本，以及运营商登记的本机地址。",
                )
        except BaseException:
            link.end("given up")
            await self._part()
            raise
        intake.start(link)
        self._link, self._intake = link, intake

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, in the order in which the answers come."""
        link = self._link
        if link is None or not link.open_for_more:
            for envelope in batch:
                yield Deferred(envelope.key, "not connected", RETRY_AFTER)
            return
        async for outcomes in Sending(link, self._memory.reports).run(batch):
            for outcome in outcomes:
                yield outcome

    def weight(self, envelope: Envelope) -> int:
        """Carriers count the parts of a text."""
        return count(envelope.message.text)

    async def lost(self) -> str:
        """Returns the reason once there is no connection (any more), also while nothing is being sent."""
        return "not connected" if self._link is None else await asyncio.shield(self._link.ended)

    async def close(self) -> None:
        """Let the gateway finish its answers, store what it sent, acknowledge it, say good-bye. Cancelled meanwhile, it
        disconnects at once: the account allows so many connections, and another worker may want this one."""
        link, intake = self._link, self._intake
        if link is None or intake is None:
            return
        self._link = self._intake = None
        try:
            await intake.finish(self._line.connect_timeout)
            link.leave()
            await asyncio.wait([link.ended], timeout=self._line.connect_timeout)
        finally:
            link.end("disconnected")
            await self._part()

    async def _part(self) -> None:
        if self._door is not None:
            await self._door.leave(self, self._line.connect_timeout)

    async def _connect(self, link: Link) -> None:
        line, loop = self._line, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(line.connect_timeout):
                await loop.create_connection(lambda: link, line.host, line.port)
        except (OSError, TimeoutError) as problem:
            raise UnavailableError(
                f"短信网关 {line.host}:{line.port} 没有应答：{str(problem) or '超时'}。",
                remedy="请检查地址、端口、专线，以及运营商登记的本机地址。",
            ) from problem
