"""One account of a gateway, over all its connections: its rate, what it took, and what it owes its client."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Protocol

from broadcaster.ports import Medium
from broadcaster.rehearsal.counts import Counts
from broadcaster.rehearsal.evidence import Evidence, Proof, plain
from broadcaster.rehearsal.fates import Fates, Traits
from broadcaster.rehearsal.judge import Batch, Judge
from broadcaster.rehearsal.logbook import (
    Acknowledged,
    Called,
    Evidenced,
    Joined,
    Logbook,
    Said,
    Taken,
    TakenRow,
    Turned,
)
from broadcaster.rehearsal.names import Names
from broadcaster.rehearsal.outbox import Carrier, Outbox, Post, ReceiptPost, ReplyPost, Word, split, spoken
from broadcaster.rehearsal.people import People
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.window import RateWindow
from channels.line.wire import AnswerRow, ReceiptRow, ReplyRow


class Member(Protocol):
    """A signed-in connection."""

    number: int

    def cut(self, reason: str) -> None: ...


class Account:
    """What the gateway knows of one client, who speaks `protocol` with it."""

    def __init__(self, name: str, medium: Medium, protocol: str, names: Names, logbook: Logbook, pace: float) -> None:
        self.name = name
        self.medium = medium
        self.protocol = protocol
        self.names = names
        self.members: list[Member] = []
        self._carriers: list[Carrier] = []
        self._logbook = logbook
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._counts = Counts()
        self._outbox = Outbox(self._carriers, self._acknowledged, self._redelivered)
        self._redelivery: asyncio.TimerHandle | None = None
        self.evidence = Evidence(names, self._owe_receipts)
        self.people = People(medium, names, self._owe_replies)
        self._judge = Judge(medium, protocol, self.evidence, self.people, pace)
        self.refusal = self._judge.refusal

    def follow(self, behaviour: Behaviour, fates: Fates) -> None:
        """Behave like this from now on."""
        self.behaviour = behaviour
        self.asks = re.compile(behaviour.duty.asks)
        self._window = RateWindow(behaviour.rate)
        self._judge.follow(behaviour, fates)
        self.people.follow(behaviour)
        if self._redelivery is not None:
            self._redelivery.cancel()
        self._redeliver()

    @property
    def counts(self) -> Counts:
        """A snapshot."""
        self._counts.connections = len(self.members)
        return self._counts

    @property
    def pace(self) -> float:
        """Seconds that playing a second of sound takes."""
        return self.behaviour.play * self._pace

    def full(self) -> bool:
        """Whether another connection would be one too many."""
        return 0 < self.behaviour.connections <= len(self.members)

    def join(self, member: Member) -> None:
        """A connection has signed in."""
        self.members.append(member)

    def leave(self, member: Member, in_flight: int, lost: str) -> None:
        """A connection is gone. `lost` says why, "" after a good-bye."""
        self.members.remove(member)
        if lost:
            self._counts.lost_connections += 1
            self._counts.in_flight_lost += in_flight

    def carry(self, carrier: Carrier) -> None:
        """From now on, receipts and replies may go by `carrier`."""
        self._carriers.append(carrier)
        self._outbox.push()

    def carry_no_more(self, carrier: Carrier) -> None:
        """What it did not bring is still owed."""
        self._carriers.remove(carrier)
        self._outbox.carrier_gone(carrier)

    def push(self) -> None:
        """A carrier has room again."""
        self._outbox.push()

    def acknowledge(self, numbers: list[int]) -> None:
        """The client has stored whole posts."""
        self._outbox.acknowledge(numbers)

    def acknowledge_part(self, number: int, part: Post) -> None:
        """The client has stored part of one."""
        self._outbox.acknowledge_part(number, part)

    def protocol_error(self) -> None:
        self._counts.protocol_errors += 1

    def let_through(self, wanted: int) -> int:
        """How many of `wanted` messages (carriers count parts) the rate lets through now."""
        granted = self._window.take(self._loop.time(), wanted)
        self._counts.throttled += wanted - granted
        return granted

    def wait(self) -> float:
        """Seconds until the rate lets something through again."""
        return self._window.wait(self._loop.time())

    def take(self, batch: Batch, member: Member, verdicts: Mapping[str, Verdict], arrived: float) -> list[AnswerRow]:
        """The answers to messages that came at `arrived` (Unix seconds). What was taken is written down when this
        returns; evidence and replies follow."""
        self._logbook.keep_texts(batch.readings)
        answers, taken, joined, refused = self._judge.judge(batch, verdicts, self._loop.time())
        if joined:
            self._logbook.write(Joined(joined))
        if taken:
            self._logbook.write(Taken(arrived, self.name, member.number, taken))
        if refused:
            self._logbook.write(Turned(time.time(), self.name, member.number, refused))
        self._counts.accepted += len(taken)
        self._counts.refused += len(refused)
        self._counts.throttled += len(batch.rows) - len(taken) - len(refused)
        return answers

    def ring(self, row: TakenRow, member: Member) -> tuple[Traits, str, bool]:
        """A call has come: who is rung, why nobody is (""), and whether there is no line. A call that is taken is
        written down when this returns."""
        alert, ordinal, attempt, address = row[:4]
        traits, weather, refusal = self._judge.fate(alert, attempt, address)
        if refusal:
            refused = [(alert, ordinal, attempt, address, refusal)]
            self._logbook.write(Turned(time.time(), self.name, member.number, refused))
            self._counts.refused += 1
        elif weather.busy or not self.let_through(1):
            self._counts.throttled += weather.busy
            return traits, "", True
        else:
            self._logbook.write(Taken(time.time(), self.name, member.number, [row]))
            self._counts.accepted += 1
        return traits, refusal, False

    def pressed(self, row: ReplyRow) -> None:
        """A key was pressed: the caller has it already."""
        self._logbook.write(Said(self.name, [row]))
        self._counts.replies_sent += 1
        self._counts.replies_acknowledged += 1

    def over(self, call: Called, evidence: ReceiptRow) -> None:
        """A call is over: the caller knows how by itself."""
        self._logbook.write(Evidenced(call.at, self.name, [evidence]), call)
        self._counts.receipts_sent += 1
        self._counts.receipts_acknowledged += 1

    def stop(self) -> None:
        self.evidence.stop()
        self.people.stop()
        if self._redelivery is not None:
            self._redelivery.cancel()

    def _owe_receipts(self, rows: list[Proof]) -> None:
        at = time.time()
        self._logbook.write(Evidenced(at, self.name, plain(rows)))
        self._counts.receipts_sent += len(rows)
        self._counts.receipts_waiting += len(rows)
        self._outbox.add(ReceiptPost(at, part) for part in split(rows))

    def _owe_replies(self, rows: list[Word]) -> None:
        self._logbook.write(Said(self.name, spoken(rows)))
        self._counts.replies_sent += len(rows)
        self._counts.replies_waiting += len(rows)
        self._outbox.add(ReplyPost(part) for part in split(rows))

    def _acknowledged(self, post: Post) -> None:
        ids = [row[0] for row in post.rows]
        if isinstance(post, ReceiptPost):
            self._logbook.write(Acknowledged(time.time(), self.name, ids, []))
            self._counts.receipts_acknowledged += len(post.rows)
            self._counts.receipts_waiting -= len(post.rows)
        else:
            self._logbook.write(Acknowledged(time.time(), self.name, [], ids))
            self._counts.replies_acknowledged += len(post.rows)
            self._counts.replies_waiting -= len(post.rows)

    def _redelivered(self, post: Post) -> None:
        self._counts.redelivered += len(post.rows)

    def _redeliver(self) -> None:
        patience = self.behaviour.redeliver_after
        self._outbox.redeliver(patience)
        self._redelivery = self._loop.call_later(patience / 2, self._redeliver)
