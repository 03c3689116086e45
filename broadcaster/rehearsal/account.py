"""One account of a gateway, over all its connections: its rate, what it took, and what it owes its client."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Protocol

from broadcaster.ports import Medium
from broadcaster.rehearsal.counts import Counts
from broadcaster.rehearsal.evidence import Evidence, named
from broadcaster.rehearsal.fates import Fates
from broadcaster.rehearsal.judge import Judge
from broadcaster.rehearsal.logbook import Acknowledged, Evidenced, Logbook, Said, Taken, Turned
from broadcaster.rehearsal.outbox import Carrier, Outbox, Post, split
from broadcaster.rehearsal.people import People
from broadcaster.rehearsal.reading import read_all
from broadcaster.rehearsal.recordings import Verdict
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.window import RateWindow
from channels.line.wire import DEFERRED, AnswerRow, ReceiptRow, Receipts, Replies, ReplyRow, Submit


class Member(Carrier, Protocol):
    """A signed-in connection."""

    number: int

    def cut(self, reason: str) -> None: ...


class Account:
    """What the gateway knows of one client. `prefix` begins all its message ids and reply ids."""

    def __init__(self, name: str, medium: Medium, prefix: str, logbook: Logbook, pace: float) -> None:
        self.name = name
        self.medium = medium
        self.members: list[Member] = []
        self._logbook = logbook
        self._loop = asyncio.get_running_loop()
        self._counts = Counts()
        self._outbox = Outbox(self.members, self._acknowledged, self._redelivered)
        self._redelivery: asyncio.TimerHandle | None = None
        self.evidence = Evidence(prefix, self._owe_receipts)
        self.people = People(medium, prefix, self._owe_replies)
        self._judge = Judge(medium, prefix, self.evidence, self.people, pace)

    def follow(self, behaviour: Behaviour, fates: Fates) -> None:
        """Behave like this from now on."""
        self.behaviour = behaviour
        self._asks = re.compile(behaviour.duty.asks)
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

    def full(self) -> bool:
        """Whether another connection would be one too many."""
        return 0 < self.behaviour.connections <= len(self.members)

    def join(self, member: Member) -> None:
        """A connection has signed in."""
        self.members.append(member)
        self._outbox.push()

    def leave(self, member: Member, in_flight: int, lost: str) -> None:
        """A connection is gone; what it did not acknowledge is still owed. `lost` says why, "" after a good-bye."""
        self.members.remove(member)
        self._outbox.carrier_gone(member)
        if lost:
            self._counts.lost_connections += 1
            self._counts.in_flight_lost += in_flight

    def push(self) -> None:
        """A connection has room again."""
        self._outbox.push()

    def acknowledge(self, batches: list[int]) -> None:
        self._outbox.acknowledge(batches)

    def protocol_error(self) -> None:
        self._counts.protocol_errors += 1

    def stop(self) -> None:
        self.evidence.stop()
        self.people.stop()
        if self._redelivery is not None:
            self._redelivery.cancel()

    def take(self, frame: Submit, member: Member, verdicts: Mapping[str, Verdict], arrived: float) -> list[AnswerRow]:
        """The answers to a frame that came at `arrived` (Unix seconds). What was taken is written down when this
        returns; evidence and replies follow."""
        now, size = self._loop.time(), len(frame.rows)
        granted = self._window.take(now, size)
        readings = read_all(frame, self._asks)
        self._logbook.keep_texts(readings)
        answers, taken, refused = self._judge.judge(frame.rows[:granted], readings, verdicts, now)
        if granted < size:
            wait = self._window.wait(now)
            answers += [(index, DEFERRED, "流量超限", wait) for index in range(granted, size)]
        at = time.time()
        if taken:
            self._logbook.write(Taken(arrived, self.name, member.number, taken))
        if refused:
            self._logbook.write(Turned(at, self.name, member.number, refused))
        self._counts.accepted += len(taken)
        self._counts.refused += len(refused)
        self._counts.throttled += size - len(taken) - len(refused)
        return answers

    def _owe_receipts(self, rows: list[ReceiptRow]) -> None:
        at = time.time()
        self._logbook.write(Evidenced(at, self.name, rows))
        self._counts.receipts_sent += len(rows)
        self._counts.receipts_waiting += len(rows)
        self._outbox.add(Receipts(0, at, part) for part in split(named(rows, self.behaviour)))

    def _owe_replies(self, rows: list[ReplyRow]) -> None:
        self._logbook.write(Said(self.name, rows))
        self._counts.replies_sent += len(rows)
        self._counts.replies_waiting += len(rows)
        self._outbox.add(Replies(0, part) for part in split(rows))

    def _acknowledged(self, post: Post) -> None:
        ids = [row[0] for row in post.rows]
        receipts = isinstance(post, Receipts)
        self._logbook.write(Acknowledged(time.time(), self.name, ids if receipts else [], [] if receipts else ids))
        if isinstance(post, Receipts):
            self._counts.receipts_acknowledged += len(post.rows)
            self._counts.receipts_waiting -= len(post.rows)
        else:
            self._counts.replies_acknowledged += len(post.rows)
            self._counts.replies_waiting -= len(post.rows)

    def _redelivered(self, post: Post) -> None:
        self._counts.redelivered += len(post.rows)

    def _redeliver(self) -> None:
        patience = self.behaviour.redeliver_after
        self._outbox.redeliver(patience)
        self._redelivery = self._loop.call_later(patience / 2, self._redeliver)
