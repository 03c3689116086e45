"""The front of the line: the rehearsal's own protocol, for channels whose drivers speak no other yet."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.director import direct
from broadcaster.rehearsal.evidence import named, plain
from broadcaster.rehearsal.fronts.front import Front, FrontError
from broadcaster.rehearsal.judge import Batch
from broadcaster.rehearsal.names import Names, Words
from broadcaster.rehearsal.outbox import Post, ReceiptPost, spoken
from broadcaster.rehearsal.reading import AUDIO, read_all
from broadcaster.rehearsal.recordings import Verdict
from channels.line.mould import pour
from channels.line.wire import (
    DEFERRED,
    VERSION,
    Ack,
    AnswerRow,
    Answers,
    Ask,
    Bye,
    Frame,
    Framer,
    LineError,
    Ping,
    Pong,
    Receipts,
    Refused,
    Replies,
    SignIn,
    Submit,
    Upload,
    Welcome,
    encode,
)

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

THROTTLED = "流量超限"


class LineFront(Front[int]):
    """One connection; what came together is a frame, which has a number."""

    protocol: ClassVar[str] = "line"
    most_unacknowledged = 20_000

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self.unacknowledged = 0
        self._framer = Framer()
        self._pieces: dict[str, list[Upload]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._behind: list[tuple[Submit, float]] = []

    def takes_post(self) -> bool:
        return self.free

    def write(self, post: Post) -> None:
        if isinstance(post, ReceiptPost) and self.account is not None:
            self._write(Receipts(post.number, post.at, named(plain(post.rows), self.account.behaviour)))
        elif not isinstance(post, ReceiptPost):
            self._write(Replies(post.number, spoken(post.rows)))

    def forget(self, post: Post) -> None:
        """Nothing: the client acknowledges whole posts."""

    def hear(self, data: bytes) -> None:
        try:
            for frame in self._framer.feed(data):
                self._obey(frame)
                if self.mute:
                    return
        except LineError as problem:
            raise FrontError(str(problem)) from problem

    def complain(self, problem: FrontError) -> None:
        self._write(Refused(str(problem)))

    def answer(self, frame: int, answers: list[AnswerRow]) -> None:
        self._write(Answers(frame, answers))

    def say_bye(self) -> None:
        self._write(Bye())

    def depart(self, lost: str) -> None:
        if self._listening is not None:
            self._listening.cancel()
        account = self.account
        super().depart(lost)
        if account is not None:
            account.carry_no_more(self)

    def _write(self, frame: Frame) -> None:
        self.send(encode(frame))

    def _obey(self, frame: Frame) -> None:
        match frame:
            case SignIn() if self.account is None:
                self._sign_in(frame)
            case Ask() if self.account is None:
                self._write(direct(self.stage, frame))
            case Submit() if self.account is not None and not self.leaving:
                self._submit(frame)
            case Ack() if self.account is not None:
                self.account.acknowledge(frame.batches)
            case Upload() if self.account is not None:
                self._receive_file(frame)
            case Ping():
                self.loop.call_later(self.silence(), self._write, Pong())
            case Bye():
                self.leave()
            case _:
                raise FrontError(f"A {type(frame).__name__} frame makes no sense now.")

    def _sign_in(self, frame: SignIn) -> None:
        if frame.version != VERSION:
            raise FrontError(f"This line speaks version {VERSION}, not {frame.version}.")

        def proves(password: str) -> bool:
            return hmac.compare_digest(password.encode(), frame.password.encode())

        try:
            refusal = self.admit(frame.account, Medium(frame.channel), proves, words)
        except ValueError:
            refusal = f"no such channel: {frame.channel!r}"
        if refusal:
            self._write(Refused(refusal))
            if self.transport is not None:
                self.transport.close()
        elif self.account is not None:
            self._write(Welcome(f"rehearsal {self.account.medium.value}"))
            self.account.carry(self)

    def _receive_file(self, piece: Upload) -> None:
        pieces = self._pieces.setdefault(piece.sha256, [])
        pieces.append(piece)
        if piece.last:
            self.stage.recordings.add(self._pieces.pop(piece.sha256))

    def _submit(self, frame: Submit) -> None:
        """Take a frame now, or behind those that wait for a terminal to have listened to their audio."""
        self.expect(len(frame.rows))
        if self._listening is not None:
            self._behind.append((frame, time.time()))
        elif audios(frame):
            self._behind.append((frame, time.time()))
            self._listening = asyncio.create_task(self._listen())
        else:
            self._take(frame, {}, time.time())

    async def _listen(self) -> None:
        while self._behind:
            frame, arrived = self._behind[0]
            verdicts = {sha256: await self.stage.recordings.verdict(sha256) for sha256 in audios(frame)}
            self._behind.pop(0)
            heard = {sha256: verdict for sha256, verdict in verdicts.items() if verdict is not None}
            self._take(frame, heard, arrived)
        self._listening = None

    def _take(self, frame: Submit, verdicts: Mapping[str, Verdict], arrived: float) -> None:
        account = self.account
        if account is None:
            return
        self.take(frame.frame, len(frame.rows), lambda: self._judge(account, frame, verdicts, arrived))

    def _judge(
        self, account: Account, frame: Submit, verdicts: Mapping[str, Verdict], arrived: float
    ) -> list[AnswerRow]:
        size, names = len(frame.rows), account.names
        if not isinstance(names, Words):
            raise TypeError("The ids of a line's account are words.")
        granted = account.let_through(size)
        rows = frame.rows[:granted] if granted < size else frame.rows
        batch = Batch(rows, names.messages(granted), read_all(frame, account.asks))
        answers = account.take(batch, self, verdicts, arrived)
        if granted < size:
            wait = account.wait()
            answers += [(index, DEFERRED, THROTTLED, wait) for index in range(granted, size)]
        return answers


def words(prefix: str) -> Names:
    """The ids of an account whose protocol has texts for ids."""
    return Words(prefix)


def audios(frame: Submit) -> set[str]:
    """The SHA-256 of the audio files that a frame's messages play."""
    if len(frame.heads) <= AUDIO:
        return set()
    wholes = (pour(frame.heads, frame.tails, parts) for parts in frame.messages)
    return {parts[AUDIO] for parts in wholes if len(parts) > AUDIO and parts[AUDIO]}
