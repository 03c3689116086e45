"""What is on the air: which broadcast plays at which terminals, what stops it, how it ended."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

PLAYING, PLAYED, FAILED, CANCELLED = "2", "3", "4", "5"
LOWEST = 9
"""The class of whatever has none: behind red to blue, 1 to 4."""

KEPT = 5000
"""Broadcasts that are remembered."""

PRE_EMPTED = "被更高级别的应急广播打断"


class End(NamedTuple):
    """How a broadcast ended at a terminal: BrdStateCode, in words, when (Unix seconds)."""

    code: str
    words: str
    at: float


@dataclass(slots=True)
class Broadcast:
    """One broadcast of a client: its class (1 goes before 4), its terminals, when it began, and how it ended where it
    has."""

    client: str
    rank: int
    terminals: Sequence[str]
    began: float
    ends: dict[str, End] = field(default_factory=dict)
    stopped: dict[str, End] = field(default_factory=dict)

    def state(self) -> str:
        """BrdStateCode of the whole."""
        codes = {end.code for end in self.ends.values()}
        if len(self.ends) < len(self.terminals):
            return PLAYING
        return PLAYED if PLAYED in codes else CANCELLED if CANCELLED in codes else FAILED

    def share(self) -> float:
        """The part of its terminals that have played it."""
        return sum(end.code == PLAYED for end in self.ends.values()) / max(1, len(self.terminals))


class Air:
    """All broadcasts, and the one that each terminal is busy with."""

    def __init__(self) -> None:
        self._broadcasts: OrderedDict[str, Broadcast] = OrderedDict()
        self._busy: dict[str, str] = {}

    def find(self, client: str, ebmid: str) -> Broadcast | None:
        """A broadcast of this client."""
        found = self._broadcasts.get(ebmid)
        return found if found is not None and found.client == client else None

    def begin(self, client: str, ebmid: str, rank: int, terminals: Sequence[str]) -> None:
        """A broadcast begins at its terminals; where one of a lower class is not over, that is."""
        now = time.time()
        self._broadcasts[ebmid] = Broadcast(client, rank, terminals, now)
        for terminal in terminals:
            before = self._broadcasts.get(self._busy.get(terminal, ""))
            if before is None or terminal in before.ends:
                self._busy[terminal] = ebmid
            elif rank < before.rank:
                before.stopped.setdefault(terminal, End(FAILED, PRE_EMPTED, now))
                self._busy[terminal] = ebmid
        if len(self._broadcasts) > KEPT:
            self._broadcasts.popitem(last=False)

    def cancel(self, broadcast: Broadcast, terminals: Iterable[str]) -> None:
        """It stops at these terminals, where it is not over."""
        now = time.time()
        for terminal in terminals:
            if terminal in broadcast.terminals and terminal not in broadcast.ends:
                broadcast.stopped.setdefault(terminal, End(CANCELLED, "取消播发", now))

    def end(self, client: str, ebmid: str, terminal: str, good: bool, why: str) -> End:
        """A broadcast is over at a terminal; how, if nothing else stopped it before."""
        end = End(PLAYED if good else FAILED, "播发成功" if good else why, time.time())
        broadcast = self.find(client, ebmid)
        if broadcast is None:
            return end
        return broadcast.ends.setdefault(terminal, broadcast.stopped.get(terminal, end))
