"""A connection to the rehearsal, seen from the gateway's side, with the accidents that the script wants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from broadcaster.rehearsal.accidents import Accidents
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.director import direct
from broadcaster.rehearsal.fates import draw, repeatable
from broadcaster.rehearsal.logbook import Lost, SignedIn
from broadcaster.rehearsal.reading import AUDIO
from broadcaster.rehearsal.recordings import Verdict
from channels.line.mould import pour
from channels.line.wire import (
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
    Refused,
    SignIn,
    Submit,
    Upload,
    Welcome,
    encode,
)

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

GARBAGE = b"\xff\xfe\xfd\xfcHTTP/1.1 502 Bad Gateway\r\n\r\n"
"""Its first four bytes announce a frame far longer than any."""


class Connection(asyncio.Protocol):
    """Signs a client in, hands its frames to the account in their order, writes answers after the gateway's delay."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.number = number
        self.unacknowledged = 0
        self._stage = stage
        self._loop = asyncio.get_running_loop()
        self._random = repeatable(f"{stage.script.seed}/{number}")
        self._accidents = Accidents(self._random)
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._account: Account | None = None
        self._writable = True
        self._mute = False
        self._leaving = False
        self._resuming = False
        self._reason = ""
        self._unanswered = 0
        self._pieces: dict[str, list[Upload]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._behind: list[tuple[Submit, float]] = []

    def takes_post(self) -> bool:
        """Whether receipts and replies may be written here now."""
        return self._writable and not self._mute and not self._leaving and not self._silence()

    def write(self, frame: Frame) -> None:
        if self._transport is not None and not self._mute:
            self._transport.write(encode(frame))

    def cut(self, reason: str) -> None:
        """Disconnect at once."""
        self._reason = self._reason or reason
        self._mute = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("The rehearsal line needs a stream.")
        self._transport = transport
        self._stage.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._mute:
            return
        self._rest(len(data))
        try:
            for frame in self._framer.feed(data):
                if self._hear(frame):
                    return
        except LineError as problem:
            if self._account is not None:
                self._account.protocol_error()
            self.write(Refused(str(problem)))
            self.cut("protocol error")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._account is not None:
            self._account.push()

    def connection_lost(self, problem: Exception | None) -> None:
        self._stage.connections.discard(self)
        self._mute = True
        if self._listening is not None:
            self._listening.cancel()
        self._depart("" if self._leaving else self._reason or f"closed by the client: {problem or 'no good-bye'}")

    def _hear(self, frame: Frame) -> bool:
        """Do what a frame asks for; whether nothing more is to be heard from this connection."""
        match frame:
            case SignIn() if self._account is None:
                self._sign_in(frame)
            case Ask() if self._account is None:
                self.write(direct(self._stage, frame))
            case Submit() if self._account is not None and not self._leaving:
                self._submit(frame)
            case Ack() if self._account is not None:
                self._account.acknowledge(frame.batches)
            case Upload() if self._account is not None:
                self._receive_file(frame)
            case Ping():
                self._loop.call_later(self._silence(), self.write, Pong())
            case Bye():
                self._leaving = True
                self._say_bye()
            case _:
                raise LineError(f"A {type(frame).__name__} frame makes no sense now.")
        return self._mute

    def _sign_in(self, frame: SignIn) -> None:
        if frame.version != VERSION:
            raise LineError(f"This line speaks version {VERSION}, not {frame.version}.")
        account, refusal = self._stage.admit(frame)
        if account is None:
            self.write(Refused(refusal))
            if self._transport is not None:
                self._transport.close()
            return
        if self._random.random() < account.behaviour.faults.hang:
            self._mute = True
            return
        self._account = account
        self._stage.logbook.write(SignedIn(time.time(), account.name, account.medium.value, self.number))
        self.write(Welcome(f"rehearsal {account.medium.value}"))
        account.join(self)

    def _receive_file(self, piece: Upload) -> None:
        pieces = self._pieces.setdefault(piece.sha256, [])
        pieces.append(piece)
        if piece.last:
            self._stage.recordings.add(self._pieces.pop(piece.sha256))

    def _submit(self, frame: Submit) -> None:
        """Take a frame now, or behind those that wait for a terminal to have listened to their audio."""
        self._unanswered += len(frame.rows)
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
            verdicts = {sha256: await self._stage.recordings.verdict(sha256) for sha256 in audios(frame)}
            self._behind.pop(0)
            heard = {sha256: verdict for sha256, verdict in verdicts.items() if verdict is not None}
            self._take(frame, heard, arrived)
        self._listening = None

    def _take(self, frame: Submit, verdicts: Mapping[str, Verdict], arrived: float) -> None:
        account = self._account
        if account is None or self._mute:
            return
        faults, chance = account.behaviour.faults, self._random.random
        if faults.cut and chance() < faults.cut:
            if chance() < faults.cut_taken:
                account.take(frame, self, verdicts, arrived)
            self.cut("cut by the script")
            return
        if faults.garbage and chance() < faults.garbage and self._transport is not None:
            self._transport.write(GARBAGE)
        answers = account.take(frame, self, verdicts, arrived)
        self._accidents.took(len(frame.rows), faults, self._loop.time())
        if faults.half_open and chance() < faults.half_open:
            self._fall_silent()
            return
        delay = draw(self._random, account.behaviour.answer) * self._stage.script.pace
        for later, part in self._accidents.pieces(answers, faults):
            if delay + later > 0:
                self._loop.call_later(delay + later, self._answer, frame.frame, part)
            else:
                self._answer(frame.frame, part)

    def _answer(self, number: int, answers: list[AnswerRow]) -> None:
        if self._mute:
            return
        if (silence := self._silence()) > 0:
            self._loop.call_later(silence, self._answer, number, answers)
            return
        self.write(Answers(number, answers))
        self._unanswered -= len(answers)
        if self._leaving:
            self._say_bye()

    def _say_bye(self) -> None:
        if self._unanswered == 0:
            self.write(Bye())

    def _silence(self) -> float:
        """Seconds for which the gateway hangs; once they are over, what is owed goes out."""
        silence = self._accidents.silence(self._loop.time())
        if silence > 0 and not self._resuming:
            self._resuming = True
            self._loop.call_later(silence, self._resume)
        return silence

    def _resume(self) -> None:
        self._resuming = False
        if self._account is not None:
            self._account.push()

    def _rest(self, size: int) -> None:
        """Read nothing more until `size` bytes have had their time."""
        rate = self._account.behaviour.faults.read_rate if self._account is not None else 0.0
        if rate and self._transport is not None:
            self._transport.pause_reading()
            self._loop.call_later(size / rate, self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _fall_silent(self) -> None:
        """Half-open: the socket stays, nobody is there any more."""
        self._mute = True
        self._depart("half-open by the script")

    def _depart(self, lost: str) -> None:
        account, self._account = self._account, None
        if account is not None:
            account.leave(self, self._unanswered, lost)
            if lost:
                self._stage.logbook.write(Lost(time.time(), account.name, self.number, self._unanswered, lost))


def audios(frame: Submit) -> set[str]:
    """The SHA-256 of the audio files that a frame's messages play."""
    if len(frame.heads) <= AUDIO:
        return set()
    wholes = (pour(frame.heads, frame.tails, parts) for parts in frame.messages)
    return {parts[AUDIO] for parts in wholes if len(parts) > AUDIO and parts[AUDIO]}
