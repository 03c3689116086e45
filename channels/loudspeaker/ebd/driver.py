"""The driver: the upper platform of one lower platform. What it plays comes back by `/callbacks/<gateway>`, or by
asking.

The connection is a conversation of single exchanges; that it stands is what a ConnectionCheck now and then proves.
When several in a row get no answer the gateway is lost.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import (
    Capabilities,
    Deferred,
    DeliveryKey,
    Envelope,
    Inbox,
    Journal,
    Outcome,
    Rejected,
    Sent,
)
from broadcaster.recent import Recent
from channels.http.client import Client
from channels.http.exchange import NonsenseError, NotWrittenError, UnansweredError
from channels.http.provider import RETRY_AFTER, Now
from channels.http.sending import NOT_CONNECTED
from channels.loudspeaker.ebd.broadcast import broadcast_of, cancellation, check
from channels.loudspeaker.ebd.conversation import (
    LARGEST_ANSWER,
    Conversation,
    Sealing,
    UnprovenError,
    meaning,
)
from channels.loudspeaker.ebd.desk import Desk, Outcomes
from channels.loudspeaker.ebd.documents import ConnectionCheck, EBDResponse, Result
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.serials import DRIVER, Broadcasts, Packages
from channels.loudspeaker.ebd.settings import EbdOptions
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.ebd.watch import Watch

KEPT = 20_000
"""Messages of which is remembered in which broadcast they went out, in case nobody answered."""

LONGEST_RECALL = 20.0
"""Seconds for which a cancellation waits for its number."""

REFUSALS = 3
"""Times that the peer may refuse to cancel a broadcast until we take its word: it is over, or not known there."""

FAULTS = (NotWrittenError, UnansweredError, UnprovenError, NonsenseError, UnavailableError)


class EbdDriver:
    """One slot. Safe to `open` again after a loss."""

    def __init__(
        self,
        options: EbdOptions,
        tls: ssl.SSLContext,
        sealing: Sealing,
        trust: Trust,
        broadcasts: Broadcasts,
        journal: Journal,
        now: Now,
    ) -> None:
        self.capabilities = Capabilities(
            receipts=True, replies=False, window=options.window, batch_max=options.terminals_max
        )
        self._options = options
        self._tls = tls
        self._sealing = sealing
        self._trust = trust
        self._broadcasts = broadcasts
        self._journal = journal
        self._now = now
        self._packages = Packages(options.source, DRIVER, now)
        self._went: Recent[DeliveryKey, str] = Recent(KEPT)
        self._refused: Recent[str, int] = Recent(KEPT)
        self._cancelled: Recent[tuple[str, str], bool] = Recent(KEPT)
        self._watch: Watch | None = None
        self._client: Client | None = None
        self._conversation: Conversation | None = None
        self._desk: Desk | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._over: asyncio.Future[str] | None = None

    async def open(self, inbox: Inbox) -> None:
        """Have a ConnectionCheck answered; `UnavailableError` says why it was not."""
        await self.close()
        client = Client(self._options, self._tls, self._journal, largest=LARGEST_ANSWER)
        conversation = Conversation(client, self._options, self._sealing, self._trust, self._packages, self._now)
        try:
            await self._greet(conversation)
        except BaseException:
            await client.drop()
            raise
        self._client, self._conversation = client, conversation
        self._broadcasts.begin()
        self._over = asyncio.get_running_loop().create_future()
        self._watch = self._watch or Watch(self._options, self._journal, self._now)
        self._desk = Desk(conversation, self._broadcasts, self._options, self._journal, self._now, self._going)
        self._tasks = [
            asyncio.create_task(self._keep_alive(conversation, self._over)),
            asyncio.create_task(self._watch.run(conversation, inbox)),
        ]

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, broadcast by broadcast."""
        desk = self._desk
        if desk is None:
            for envelope in batch:
                yield Deferred(envelope.key, NOT_CONNECTED, RETRY_AFTER)
            return
        fit: list[Envelope] = []
        for envelope in batch:
            try:
                check(envelope, self._options)
            except InputError as problem:
                yield Rejected(envelope.key, problem.what)
            else:
                fit.append(envelope)
        waiting = desk.hand_in(fit)
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for told in done:
                outcomes: Outcomes = told.result()
                for key in waiting.pop(told):
                    yield outcomes[key]

    async def recall(self, sent: Sequence[Sent]) -> None:
        """Cancel these at their terminals, broadcast by broadcast; `UnavailableError` when the peer cannot be told."""
        conversation = self._conversation
        if conversation is None:
            raise UnavailableError(f"应急广播平台：{NOT_CONNECTED}。", remedy="连接恢复后会再次取消。")
        for ebmid, terminals in self._broadcasts_of(sent).items():
            await self._cancel(conversation, ebmid, terminals)

    async def lost(self) -> str:
        """Returns the reason once the peer has not answered several ConnectionChecks in a row."""
        return NOT_CONNECTED if self._over is None else await asyncio.shield(self._over)

    async def close(self) -> None:
        """Let the answers come for what was written, defer the rest, disconnect."""
        desk, self._desk = self._desk, None
        client, self._client = self._client, None
        self._conversation = None
        if desk is not None:
            await desk.finish()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._over is not None and not self._over.done():
            self._over.set_result("已断开")
        if client is not None:
            self._broadcasts.end()
            await client.drop()

    def _going(self, ebmid: str, envelopes: Sequence[Envelope]) -> None:
        """A broadcast goes out: remember whose it is, and look after it."""
        for envelope in envelopes:
            self._went[envelope.key] = ebmid
        if self._watch is not None:
            terminals = list(dict.fromkeys(one.address for one in envelopes))
            self._watch.add(ebmid, terminals, max(one.expires for one in envelopes))

    def _broadcasts_of(self, sent: Sequence[Sent]) -> dict[str, list[str]]:
        """The terminals to be told, by EBMID; without those that were told before."""
        found: dict[str, list[str]] = defaultdict(list)
        for one in sent:
            ebmid = broadcast_of(one.ref, self._options) or self._went.get(one.key, "")
            known = ebmid and self._options.dialect.is_resource(one.address)
            if known and (ebmid, one.address) not in self._cancelled:
                found[ebmid].append(one.address)
        return found

    async def _cancel(self, conversation: Conversation, ebmid: str, terminals: list[str]) -> None:
        number = ebmid if self._options.cancel == "same" else await self._number()
        body = cancellation(number, ebmid, terminals, self._now().replace(microsecond=0), self._options)
        self._journal.note("→", f"取消 EBM {ebmid[-12:]} 终端 {len(terminals)} 个")
        try:
            answer = await conversation.say(body)
        except FAULTS as problem:
            self._journal.note("!", f"取消 EBM {ebmid[-12:]} {problem}")
            raise UnavailableError(
                f"没能让对方平台取消播发：{problem}", remedy="会再次取消；急需停播时请直接联系对方平台。"
            ) from problem
        said, good = judged(answer)
        self._journal.note("←", f"取消 EBM {ebmid[-12:]} {said}")
        if not good:
            self._refused[ebmid] = times = self._refused.get(ebmid, 0) + 1
            if times < REFUSALS:
                raise UnavailableError(
                    f"对方平台没有取消播发：{said}。", remedy="会再次取消；急需停播时请直接联系对方平台。"
                )
            self._journal.note("!", f"取消 EBM {ebmid[-12:]} 对方平台 {times} 次拒绝，不再取消")
        for terminal in terminals:
            self._cancelled[ebmid, terminal] = True

    async def _number(self) -> str:
        """A number for a cancellation; `UnavailableError` when there is none soon."""
        try:
            async with asyncio.timeout(LONGEST_RECALL):
                while not (number := self._broadcasts.take()):  # noqa: ASYNC110 (numbers come with time alone)
                    await asyncio.sleep(self._broadcasts.wait())
        except TimeoutError as problem:
            raise UnavailableError("EBM 编号用得太快，暂时不能取消播发。", remedy="会再次取消。") from problem
        return number

    async def _greet(self, conversation: Conversation) -> None:
        where = self._options.url.origin()
        self._journal.note("→", "ConnectionCheck")
        try:
            answer = await conversation.say(ConnectionCheck(rpt_time=self._now().replace(microsecond=0)))
        except (NotWrittenError, UnansweredError) as problem:
            self._journal.note("!", f"ConnectionCheck {problem}")
            raise UnavailableError(
                f"应急广播平台 {where} 没有应答：{problem}。",
                remedy="请检查网关的 endpoint，以及到对方平台的网络和防火墙。",
            ) from problem
        except (NonsenseError, UnprovenError) as problem:
            self._journal.note("!", f"ConnectionCheck {problem}")
            raise UnavailableError(
                f"{where} 的答复不是应急广播平台的：{problem}。",
                remedy="请检查网关的 endpoint、peer 和 profile，并与对方核对。",
            ) from problem
        said, good = judged(answer)
        self._journal.note("←", f"ConnectionCheck {said}")
        if not good:
            raise UnavailableError(
                f"应急广播平台 {where} 不接受连接：{said}。",
                remedy="请与对方核对我方资源编码和证书登记；签名失败时可试 utc_signed。",
            )

    async def _keep_alive(self, conversation: Conversation, over: asyncio.Future[str]) -> None:
        missed = 0
        while missed < self._options.missed:
            await asyncio.sleep(self._options.heartbeat)
            try:
                async with asyncio.timeout(max(self._options.heartbeat, self._options.connect_timeout)):
                    await conversation.say(ConnectionCheck(rpt_time=self._now().replace(microsecond=0)))
            except (*FAULTS, TimeoutError) as problem:
                missed += 1
                self._journal.note("!", f"ConnectionCheck 第 {missed} 次没有应答：{problem or '超时'}")
            else:
                missed = 0
        if not over.done():
            over.set_result(f"对方平台 {missed} 次心跳没有应答")


def judged(answer: EBD) -> tuple[str, bool]:
    """What an answer says, and whether it is consent."""
    body = answer.body
    if not isinstance(body, EBDResponse):
        return f"以 {answer.type[:40]} 作答", False
    return meaning(body), body.result_code in (Result.VALID, Result.RECEIVED)
