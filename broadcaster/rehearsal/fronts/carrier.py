"""A carrier's gateway for short messages, whatever its protocol: what CMPP and SMPP have in common.

Both begin frames with length and command, four octets each, and give the commands that carry messages the same numbers.
Everything that came in one read is judged together.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fronts.deliveries import Deliveries
from broadcaster.rehearsal.fronts.front import Front, FrontError
from broadcaster.rehearsal.fronts.moments import Moments, minute
from broadcaster.rehearsal.fronts.parcels import Parcel, Parcels, Place, headless, place, text
from broadcaster.rehearsal.judge import Batch
from broadcaster.rehearsal.names import Names, Numbers
from broadcaster.rehearsal.outbox import Post
from broadcaster.rehearsal.reading import Reading, read
from broadcaster.rehearsal.script import CarrierFront as Settings
from channels.line.wire import ACCEPTED, DEFERRED, REJECTED, AnswerRow, ReplyRow, SubmitRow
from channels.sms.parts import Part

if TYPE_CHECKING:
    import asyncio

    from broadcaster.rehearsal.stage import Stage

ANSWER = 0x80000000
SUBMIT, DELIVER = 4, 5
DELIVERED = ANSWER | DELIVER

THROTTLED = "流量超限"
UNANSWERED = 3
"""Signs of life that a client may leave unanswered."""

TEXTS_KNOWN = 1000
"""Texts of which is remembered what a reader makes of them."""


Submitted: TypeAlias = tuple[int, str, bytes, int, bool, int, float, bool]
"""A SUBMIT: sequence, address, content, coding, whether that begins with a header, urgency, end of validity (Unix
seconds), whether a receipt is wanted."""


class Together:
    """What came together: the SUBMITs' sequence numbers, and the ids that they were given (0: none)."""

    __slots__ = ("ids", "sequences")

    def __init__(self, submits: list[Submitted]) -> None:
        self.sequences = [one[0] for one in submits]
        self.ids = [0] * len(submits)


class _Whole:
    """What is to be judged of what came together: a batch, the place of each of its rows there, and the parcel of those
    that came in parts."""

    __slots__ = ("indices", "parcels", "parts", "readings", "refs", "rows")

    def __init__(self) -> None:
        self.rows: list[SubmitRow] = []
        self.refs: list[str] = []
        self.readings: list[Reading] = []
        self.parts: list[int] = []
        self.indices: list[int] = []
        self.parcels: dict[int, tuple[Parcel, Place]] = {}


class Carrier(Front[Together]):
    """One connection."""

    shortest: int
    longest: int
    """Octets of a frame."""

    handset = False
    """Whether texts without a coding are in the handsets' alphabet."""

    def __init__(self, stage: Stage, number: int, settings: Settings) -> None:
        super().__init__(stage, number)
        self.unacknowledged = 0
        self.most_unacknowledged = settings.window
        self.receives = True
        self._settings = settings
        self._numbers = Numbers(0)
        self._buffer = b""
        self._parcels = Parcels()
        self._readings: dict[tuple[bytes, int], Reading] = {}
        self._asks: object = None
        self._deliveries = Deliveries(self, settings.window)
        self._moments = Moments()
        self._minute = (0, b"")
        self._sequence = 0
        self._farewell = 0
        self._heard = self.loop.time()
        self._asked = 0
        self._watch: asyncio.TimerHandle | None = None

    @abstractmethod
    def submitted(self, data: bytes, at: int, length: int) -> Submitted:
        """The SUBMIT that is the frame `data[at : at + length]`."""

    @abstractmethod
    def delivered(self, data: bytes, at: int, length: int) -> tuple[int, bool]:
        """Which DELIVER a frame answers, and whether it was taken."""

    @abstractmethod
    def obey(self, command: int, frame: bytes) -> None:
        """Do what any other frame asks for."""

    @abstractmethod
    def answered(self, sequence: int, number: int, verdict: int, reason: str) -> bytes:
        """The answer to a SUBMIT."""

    @abstractmethod
    def report(self, sequence: int, number: int, row: Proof) -> bytes:
        """A DELIVER with the status report on the part that has the id `number`."""

    @abstractmethod
    def said(self, sequence: int, row: ReplyRow, part: Part) -> bytes:
        """A DELIVER with what somebody wrote, or a part of it."""

    @abstractmethod
    def asking(self, sequence: int) -> bytes:
        """Ask for a sign of life."""

    def hear(self, data: bytes) -> None:
        self._heard, self._asked = self.loop.time(), 0
        if self._buffer:
            data = self._buffer + data
        at, end = 0, len(data)
        submits: list[Submitted] = []
        while end - at >= 8:
            length = int.from_bytes(data[at : at + 4])
            if not self.shortest <= length <= self.longest:
                raise FrontError(f"a frame of {length} octets")
            if end - at < length:
                break
            command = int.from_bytes(data[at + 4 : at + 8])
            if command == SUBMIT:
                submits.append(self.submitted(data, at, length))
            elif command == DELIVERED:
                self._deliveries.answered(*self.delivered(data, at, length))
            else:
                if submits:
                    self._submit(submits)
                    submits = []
                self.obey(command, data[at : at + length])
                if self.mute:
                    return
            at += length
        self._buffer = data[at:]
        if submits:
            self._submit(submits)
        for number, part in self._deliveries.stored():
            if self.account is not None:
                self.account.acknowledge_part(number, part)
        self._deliveries.push()

    def answer(self, frame: Together, answers: list[AnswerRow]) -> None:
        sequences, ids, answered = frame.sequences, frame.ids, self.answered
        self.send(
            b"".join([answered(sequences[index], ids[index], verdict, why) for index, verdict, why, _ in answers])
        )

    def takes_post(self) -> bool:
        return self.receives and self.free

    def write(self, post: Post) -> None:
        self._deliveries.add(post)

    def forget(self, post: Post) -> None:
        self._deliveries.forget(post)

    def go_on(self) -> None:
        self._deliveries.push()
        super().go_on()

    def depart(self, lost: str) -> None:
        if self._watch is not None:
            self._watch.cancel()
        account = self.account
        super().depart(lost)
        if account is not None:
            account.carry_no_more(self)

    def signed_in(self, account: Account) -> None:
        """The client has been told that it is in: post may follow."""
        if not isinstance(account.names, Numbers):
            raise TypeError("The ids of a carrier's account are numbers.")
        self._numbers = account.names
        self._look_after()
        account.carry(self)

    def next_sequence(self) -> int:
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence

    def _now(self) -> bytes:
        """The present minute, as reports write it."""
        at = int(time.time()) // 60
        if at != self._minute[0]:
            self._minute = (at, minute(at * 60))
        return self._minute[1]

    def _submit(self, submits: list[Submitted]) -> None:
        account, arrived = self.account, time.time()
        if account is None or self.leaving:
            raise FrontError("a SUBMIT makes no sense now")
        self.expect(len(submits))
        together = Together(submits)
        self.take(together, len(submits), lambda: self._judge(account, submits, together, arrived))

    def _judge(self, account: Account, submits: list[Submitted], together: Together, arrived: float) -> list[AnswerRow]:
        """Judge what is whole; a part of a message that is not whole yet is taken, unless its reader is refused."""
        granted, size = account.let_through(len(submits)), len(submits)
        whole = _Whole()
        answers = []
        for index, one in enumerate(submits if granted == size else submits[:granted]):
            answer = self._gather(account, index, one, together, whole)
            if answer is not None:
                answers.append(answer)
        batch = Batch(whole.rows, whole.refs, whole.readings, whole.parts)
        for row, verdict, detail, after in account.take(batch, self, {}, arrived):
            answers.append((whole.indices[row], verdict, detail, after))
            if row in whole.parcels:
                self._settle(whole.rows[row][3], *whole.parcels[row], again=verdict == DEFERRED)
        if granted < size:
            wait = account.wait()
            answers += [(index, DEFERRED, THROTTLED, wait) for index in range(granted, size)]
        return answers

    def _gather(
        self, account: Account, index: int, one: Submitted, together: Together, whole: _Whole
    ) -> AnswerRow | None:
        """Put a message, or the last part of one, to what is whole; the answer to any other part."""
        _, address, content, coding, headed, urgency, expires, reported = one
        found = place(content) if headed else None
        total = 1
        if found is not None and found.total > 1:
            parcel = self._parcels.find(address, found)
            if parcel is None:
                if why := account.refusal(address):
                    return index, REJECTED, why, 0.0
                parcel = self._parcels.begin(address, found, self._numbers.block(found.total))
            parcel.parts[found.number] = found.content
            total = found.total
            together.ids[index] = parcel.first + found.number - 1
            if len(parcel.parts) < total:
                return index, ACCEPTED, "", 0.0
            whole.parcels[len(whole.rows)] = (parcel, found)
            content, number = parcel.content(), parcel.first + total - 1
        else:
            number = together.ids[index] = self._numbers.block(1)
            if headed:
                content = found.content if found is not None else headless(content)
        whole.rows.append((0, 0, 0, address, len(whole.readings), urgency, expires))
        whole.refs.append(f"{number:016x}")
        whole.readings.append(self._reading(account, content, coding))
        whole.parts.append(total if reported else 0)
        whole.indices.append(index)
        return None

    def _settle(self, address: str, parcel: Parcel, found: Place, *, again: bool) -> None:
        """A message was judged: it is over, or its last part will be tried again."""
        if again:
            del parcel.parts[found.number]
        else:
            self._parcels.close(address, found)

    def _reading(self, account: Account, content: bytes, coding: int) -> Reading:
        if self._asks is not account.asks or len(self._readings) >= TEXTS_KNOWN:
            self._readings.clear()
            self._asks = account.asks
        known = self._readings.get((content, coding))
        if known is None:
            known = read(text(content, coding, handset=self.handset), account.asks)
            self._readings[content, coding] = known
        return known

    def _look_after(self) -> None:
        """Ask for a sign of life after a silence, and hang up after three that were not answered."""
        heartbeat, now = self._settings.heartbeat, self.loop.time()
        if now - self._heard > heartbeat * (self._asked + 1) and self.free:
            if self._asked >= UNANSWERED:
                self.cut("no sign of life")
                return
            self._asked += 1
            self.send(self.asking(self.next_sequence()))
        self._watch = self.loop.call_later(heartbeat / 4, self._look_after)


def numbers(prefix: str) -> Names:
    """The ids of an account whose protocol has 64 bits for them."""
    return Numbers(crc32(prefix.encode()) & 0x3FFFFF)
