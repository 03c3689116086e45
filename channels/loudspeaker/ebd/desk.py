"""Where the messages of an alert come together: as few broadcasts as possible, and an outcome for every message.

| what happened | outcome |
|---|---|
| no connection: nothing was written | Deferred 1 s |
| lost, silence, nonsense, or a wrong signature after it was written | Unknown |
| ResultCode 1, 0 | Accepted: valid; received and not yet looked at |
| ResultCode 2, 3 | Rejected, in the peer's words |
| ResultCode 4 | Deferred 30 s: our certificate is for an operator to see to, nothing was played |
| ResultCode 5 | Deferred 30 s: it was not taken, whatever the reason |
| HTTP 429, other 4xx | Deferred as Retry-After says, or 1 s; 30 s |
| nobody signs (cipher device), no number for another broadcast | Deferred |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Envelope,
    Journal,
    Message,
    Outcome,
    Rejected,
    Unknown,
)
from channels.http.exchange import NonsenseError, NotWrittenError, UnansweredError
from channels.http.provider import RETRY_AFTER, UNFIT_AFTER, Now
from channels.http.sending import NOT_CONNECTED, THROTTLED
from channels.loudspeaker.ebd.broadcast import compose, recording, reference
from channels.loudspeaker.ebd.conversation import Conversation, StatusError, UnprovenError, meaning
from channels.loudspeaker.ebd.documents import EBDResponse, Result
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.serials import Broadcasts
from channels.loudspeaker.ebd.settings import EbdOptions

LONGEST_WAIT = 4.0
"""Seconds for which a broadcast waits for its number; above that its messages are deferred."""

LARGEST_AUDIO = 64 * 1024 * 1024

Outcomes: TypeAlias = dict[DeliveryKey, Outcome]
Sending: TypeAlias = Callable[[str, Sequence[Envelope]], None]
"""Told of each broadcast before it goes out: its EBMID and its messages."""

Verdict: TypeAlias = Callable[[Envelope], Outcome]


class Gathering:
    """Messages that will be one broadcast: the same message of the same alert. Two for one terminal are played once."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.envelopes: list[Envelope] = []
        self.full = asyncio.Event()
        self.outcomes: asyncio.Task[Outcomes] | None = None

    @property
    def terminals(self) -> list[str]:
        return list(dict.fromkeys(one.address for one in self.envelopes))


class Desk:
    """The broadcasts of one slot. Once `closing`, nothing more is begun."""

    def __init__(
        self,
        conversation: Conversation,
        broadcasts: Broadcasts,
        options: EbdOptions,
        journal: Journal,
        now: Now,
        sending: Sending,
    ) -> None:
        self._conversation = conversation
        self._broadcasts = broadcasts
        self._options = options
        self._journal = journal
        self._now = now
        self._sending = sending
        self._open: dict[tuple[int, int], Gathering] = {}
        self._under_way: set[asyncio.Task[Outcomes]] = set()
        self._closing = False

    def hand_in(self, envelopes: Iterable[Envelope]) -> dict[asyncio.Task[Outcomes], list[DeliveryKey]]:
        """What the outcomes of these will be told by; they have been checked."""
        told: dict[asyncio.Task[Outcomes], list[DeliveryKey]] = {}
        for envelope in envelopes:
            gathering = self._gathering(envelope)
            gathering.envelopes.append(envelope)
            if len(gathering.envelopes) >= self._options.terminals_max:
                self._end(gathering, envelope)
            if gathering.outcomes is not None:
                told.setdefault(gathering.outcomes, []).append(envelope.key)
        return told

    async def finish(self) -> None:
        """Begin nothing more; wait for what is under way (that has its time limit)."""
        self._closing = True
        for gathering in self._open.values():
            gathering.full.set()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _gathering(self, envelope: Envelope) -> Gathering:
        place = (envelope.key.alert, id(envelope.message))
        found = self._open.get(place)
        if found is None:
            found = self._open[place] = Gathering(envelope.message)
            found.outcomes = asyncio.create_task(self._run(place, found))
            self._under_way.add(found.outcomes)
            found.outcomes.add_done_callback(self._under_way.discard)
        return found

    def _end(self, gathering: Gathering, envelope: Envelope) -> None:
        gathering.full.set()
        self._open.pop((envelope.key.alert, id(envelope.message)), None)

    async def _run(self, place: tuple[int, int], gathering: Gathering) -> Outcomes:
        try:
            async with asyncio.timeout(self._options.gather):
                await gathering.full.wait()
        except TimeoutError:
            pass
        if self._open.get(place) is gathering:
            del self._open[place]
        verdict = await self._verdict(gathering)
        return {one.key: verdict(one) for one in gathering.envelopes}

    async def _verdict(self, gathering: Gathering) -> Verdict:
        """What becomes of all messages of a broadcast."""
        if self._closing:
            return deferred(NOT_CONNECTED, RETRY_AFTER)
        try:
            content = await _sound(gathering.message.audio)
        except OSError as problem:
            return rejected(f"读不出音频文件：{problem.strerror}")
        if len(content) > LARGEST_AUDIO:
            return rejected(f"音频超过 {LARGEST_AUDIO // 1024 // 1024} MiB")
        ebmid = await self._number()
        if not ebmid:
            return deferred("EBM 编号用得太快", self._broadcasts.wait())
        return await self._sent(gathering, ebmid, content)

    async def _number(self) -> str:
        """An EBMID, if there is one soon."""
        while not (ebmid := self._broadcasts.take()):
            wait = self._broadcasts.wait()
            if wait > LONGEST_WAIT:
                return ""
            await asyncio.sleep(wait)
        return ebmid

    async def _sent(self, gathering: Gathering, ebmid: str, content: bytes) -> Verdict:
        file, terminals = recording(ebmid, content), gathering.terminals
        expires = max(one.expires for one in gathering.envelopes)
        body = compose(
            ebmid, gathering.message, terminals, expires, file, self._now().replace(microsecond=0), self._options
        )
        self._sending(ebmid, gathering.envelopes)
        self._journal.note("→", f"EBM {ebmid[-12:]} 终端 {len(terminals)} 个，音频 {len(content) // 1024} KiB")
        try:
            answer = await self._conversation.say(body, (file,))
        except NotWrittenError as problem:
            verdict, said = deferred(f"连接不上对方平台（{problem}）", RETRY_AFTER), f"未发出：{problem}"
        except UnavailableError as problem:
            verdict, said = deferred(problem.what, UNFIT_AFTER), problem.what
        except (UnansweredError, UnprovenError) as problem:
            verdict, said = unknown(str(problem)), str(problem)
        except NonsenseError as problem:
            verdict, said = by_status(problem), str(problem)
        else:
            verdict, said = judged(answer, ebmid)
        self._journal.note("←", f"EBM {ebmid[-12:]} {said}")
        return verdict


async def _sound(audio: Audio | None) -> bytes:
    return await asyncio.to_thread(audio.path.read_bytes) if audio is not None else b""


def judged(answer: EBD, ebmid: str) -> tuple[Verdict, str]:
    """What an answer to an EBM means, and in words."""
    body = answer.body
    if not isinstance(body, EBDResponse):
        return unknown(f"对方以 {answer.type[:40]} 作答"), f"答非所问：{answer.type[:40]}"
    said = meaning(body)
    match body.result_code:
        case Result.VALID | Result.RECEIVED:
            return (lambda one: Accepted(one.key, reference(ebmid, one.address))), said
        case Result.UNREADABLE | Result.INCOMPLETE:
            return rejected(f"对方平台：{said}"), said
        case Result.SIGNATURE:
            return deferred("对方平台不认我方签名，请核对证书登记", UNFIT_AFTER), said
        case Result.OTHER:
            return deferred(f"对方平台：{said}", UNFIT_AFTER), said
    return unknown(f"对方平台：{said}"), said


def by_status(problem: NonsenseError) -> Verdict:
    """What an answer that is no EBD means: a refusal of HTTP's was not processed; of anything else nobody knows."""
    why = str(problem)
    if not isinstance(problem, StatusError) or not 400 <= problem.status < 500:
        return unknown(why)
    usual = RETRY_AFTER if problem.status == THROTTLED else UNFIT_AFTER
    return deferred(f"对方平台不收（{why}）", problem.after or usual)


def deferred(why: str, after: float) -> Verdict:
    return lambda one: Deferred(one.key, why, max(after, 0.001))


def rejected(why: str) -> Verdict:
    return lambda one: Rejected(one.key, why)


def unknown(why: str) -> Verdict:
    return lambda one: Unknown(one.key, why)
