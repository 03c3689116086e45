"""The front of a lower emergency broadcast platform: takes EBD packages over HTTP, has terminals play, reports upwards.

Written from the standards' tables by itself. It checks what a strict platform checks: the form, the package, the order
and presence of elements, times, lengths of ids, and the signature.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fronts import ebd_papers as papers
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.air import LOWEST, End
from broadcaster.rehearsal.fronts.ebd_papers import Paper, PaperError, Parcel
from broadcaster.rehearsal.fronts.ebd_platform import SEPARATOR, EbdPlatform
from broadcaster.rehearsal.fronts.ebd_seals import SealError
from broadcaster.rehearsal.fronts.front import FrontError
from broadcaster.rehearsal.fronts.http import Asked, HttpFront
from broadcaster.rehearsal.fronts.line import words
from broadcaster.rehearsal.judge import BUSY, Batch
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import EbdFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow, SubmitRow, Upload

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

KIND = "application/octet-stream"
RESULTS = {0: "收到未处理", 1: "接收解析及数据校验成功", 2: "解析失败", 3: "内容缺失", 4: "签名验证失败", 5: "其他错误"}
RANKS = {"1": 1, "2": 2, "3": 3, "4": 4}
PLAY, CANCEL = ("1", "3", "4"), "2"
MOST = 10_000
"""Terminals of a broadcast."""


@dataclass(frozen=True, slots=True)
class Order:
    """An EBM that wants terminals to play."""

    paper: Paper
    ebmid: str
    rank: int
    terminals: Sequence[str]
    reading: Reading
    until: float


class EbdFront(HttpFront[Order]):
    """One connection; what came together is one broadcast."""

    protocol: ClassVar[str] = "ebd"
    largest: ClassVar[int] = 48 * 1024 * 1024

    def __init__(self, stage: Stage, number: int, platform: EbdPlatform) -> None:
        super().__init__(stage, number)
        self._platform = platform
        self._listening: asyncio.Task[None] | None = None

    def obey(self, asked: Asked) -> None:
        if asked.method != "POST":
            self.reply(b"", KIND, HTTPStatus.METHOD_NOT_ALLOWED)
            return
        platform, paper = self._platform, None
        try:
            parcel = papers.opened(asked.kind, asked.body)
            paper = papers.read(parcel, platform.older)
            if paper.kind != "ConnectionCheck":
                platform.seals.check(parcel.document, parcel.seal)
            if self._enters(paper.source):
                self._do(paper, parcel)
        except PaperError as problem:
            self._respond(problem.code, problem.ebdid, "", str(problem))
        except SealError as problem:
            self._respond(4, paper.ebdid if paper is not None else "", "", str(problem))

    def answer(self, frame: Order, answers: list[AnswerRow]) -> None:
        if answers and all(verdict == DEFERRED for _, verdict, *_ in answers):
            self._respond(5, frame.paper.ebdid, frame.paper.source, BUSY)
        else:
            self._respond(1, frame.paper.ebdid, frame.paper.source)

    def complain(self, problem: FrontError) -> None:
        self._asked = Asked("", "", {}, b"", stays=False)
        self.reply(str(problem).encode(), "text/plain", HTTPStatus.BAD_REQUEST)

    def depart(self, lost: str) -> None:
        if self._listening is not None:
            self._listening.cancel()
        super().depart(lost)

    def _enters(self, source: str) -> bool:
        """Whether the connection is that client's now; a gateway that hangs says nothing any more."""
        refusal = self.enter(source, Medium.LOUDSPEAKER, lambda _: True, words)
        if refusal:
            self.reply(refusal.encode(), "text/plain", HTTPStatus.SERVICE_UNAVAILABLE)
        elif self.account is not None:
            self._platform.welcome(self.account)
        return self.account is not None and not refusal

    def _respond(self, code: int, related: str, to: str, why: str = "") -> None:
        """Answer with an EBDResponse; damaged if the script wants it so."""
        settings = self._platform.settings
        body = f"<ResultCode>{code}</ResultCode>{papers.text('ResultDesc', why or RESULTS[code])}"
        forged = self._random.random() < settings.forged
        parcel = self._platform.says("EBDResponse", body, to or self._platform.code, related, forged)
        content = papers.packed(parcel)
        self.reply(content[:700] if self._random.random() < settings.halved else content, KIND)

    def _do(self, paper: Paper, parcel: Parcel) -> None:
        if paper.kind == "ConnectionCheck":
            self.loop.call_later(self.silence(), self._respond, 1, paper.ebdid, paper.source)
        elif paper.kind == "EBM" and paper.body.findtext("MsgBasicInfo/MsgType") == CANCEL:
            self._cancel(paper)
        elif paper.kind == "EBM":
            self._play(paper, parcel)
        elif paper.kind == "EBMStateRequest":
            self._tell(paper)
        else:
            self._respond(0, paper.ebdid, paper.source)

    def _play(self, paper: Paper, parcel: Parcel) -> None:
        order = self._order(paper, parcel)
        content = parcel.files[paper.body.findtext("MsgContent/Auxiliary/AuxiliaryDesc") or ""]
        whole = Upload(order.reading.audio, "audio/mpeg", math.nan, content, last=True)
        self.stage.recordings.add([whole])
        self.expect(len(order.terminals))
        self._listening = asyncio.create_task(self._listen(order, time.time()))

    def _order(self, paper: Paper, parcel: Parcel) -> Order:
        """What the EBM wants; PaperError when it cannot be done."""
        ebmid, body = paper.body.findtext("EBMID") or "", paper.body
        terminals = [one.text or "" for one in body.iterfind("Dispatch/EBRBS/BrdSysInfo")]
        name, size = body.findtext("MsgContent/Auxiliary/AuxiliaryDesc"), body.findtext("MsgContent/Auxiliary/Size")
        sound = parcel.files.get(name or "")
        if body.findtext("MsgBasicInfo/MsgType") not in PLAY:
            raise PaperError(3, "MsgType 不对", paper.ebdid)
        if len(ebmid) != (30 if self._platform.older else 35) or not ebmid.startswith(paper.source):
            raise PaperError(3, "EBMID 不对", paper.ebdid)
        if self._platform.air.find(paper.source, ebmid) is not None:
            raise PaperError(5, "EBMID 重复", paper.ebdid)
        if not 0 < len(set(terminals)) == len(terminals) <= MOST or not body.findtext("MsgContent/AreaCode"):
            raise PaperError(3, "没有播发对象", paper.ebdid)
        if sound is None or str(len(sound)) != size or body.findtext("MsgContent/Auxiliary/AuxiliaryType") != "2":
            raise PaperError(3, "没有音频，或大小不对", paper.ebdid)
        until = papers.when(body.findtext("MsgBasicInfo/EndTime"), paper.ebdid)
        papers.when(body.findtext("MsgBasicInfo/StartTime"), paper.ebdid)
        said = body.findtext("MsgContent/MsgDesc") or ""
        reading = Reading(said, crc32(said.encode()), asks=False, code="", url="", audio=sha256(sound).hexdigest())
        severity = body.findtext("MsgBasicInfo/Severity") or ""
        return Order(paper, ebmid, RANKS.get(severity, LOWEST), terminals, reading, until)

    async def _listen(self, order: Order, arrived: float) -> None:
        """The terminals listen to what they are to play, then it is taken."""
        verdict = await self.stage.recordings.verdict(order.reading.audio)
        account = self.account
        if account is None or verdict is None:
            return
        heard = {order.reading.audio: verdict}
        self.take(order, len(order.terminals), lambda: self._judge(account, order, heard, arrived))

    def _judge(self, account: Account, order: Order, heard: Mapping[str, Verdict], arrived: float) -> list[AnswerRow]:
        """A platform takes a broadcast as a whole, or not now; terminals that refuse or are busy fail by themselves."""
        size = len(order.terminals)
        if account.let_through(size) < size:
            return [(index, DEFERRED, "", account.wait()) for index in range(size)]
        rows: list[SubmitRow] = [(0, 0, 0, one, 0, min(order.rank - 1, 3), order.until) for one in order.terminals]
        refs = [f"{order.ebmid}{SEPARATOR}{one}" for one in order.terminals]
        answers = account.take(Batch(rows, refs, [order.reading]), self, heard, arrived)
        if any(verdict == ACCEPTED for _, verdict, *_ in answers) or not any(v == DEFERRED for _, v, *_ in answers):
            self._platform.air.begin(account.name, order.ebmid, order.rank, order.terminals)
            for index, verdict, why, _ in answers:
                if verdict in (REJECTED, DEFERRED):
                    row = (refs[index], 0, 0, 0, False, why or BUSY, order.terminals[index], 1)
                    account.evidence.put(self.loop.time(), row)
            return [(index, ACCEPTED, "", 0.0) for index in range(size)]
        return answers

    def _cancel(self, paper: Paper) -> None:
        body = paper.body
        which = body.findtext("RelatedInfo/EBMID") or body.findtext("EBMID") or ""
        broadcast = self._platform.air.find(paper.source, which)
        if broadcast is None:
            self._respond(5, paper.ebdid, paper.source, "查找不到该EBMID")
            return
        terminals = [one.text or "" for one in body.iterfind("Dispatch/EBRBS/BrdSysInfo")]
        self._platform.air.cancel(broadcast, terminals or broadcast.terminals)
        self._respond(1, paper.ebdid, paper.source)

    def _tell(self, paper: Paper) -> None:
        """Answer an EBMStateRequest at once."""
        ebmid = paper.body.findtext("EBM/EBMID") or ""
        broadcast = self._platform.air.find(paper.source, ebmid)
        if broadcast is None:
            self._respond(5, paper.ebdid, paper.source, "查找不到该EBMID")
            return
        open_ones = {one: End("2", "播发中", time.time()) for one in broadcast.terminals if one not in broadcast.ends}
        body = self._platform.report(ebmid, broadcast, {**open_ones, **broadcast.ends})
        parcel = self._platform.says("EBMStateResponse", body, paper.source, paper.ebdid)
        self.reply(papers.packed(parcel), KIND)


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage, which knows its platform."""
    platform = stage.platforms["ebd"] = EbdPlatform(settings)
    return Door(Address.parse(settings.listen), lambda: EbdFront(stage, stage.next_number(), platform), platform)
