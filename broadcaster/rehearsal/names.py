"""The ids that a gateway gives to messages, to receipts about messages that never were, and to what people write."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

from broadcaster.clock import BEIJING

SEQUENCES = 1 << 16
"""Numbers that a Msg_Id has for one second."""


class Names(Protocol):
    """An account's ids; none is ever given twice, also not by the next process."""

    def stray(self) -> str: ...

    def reply(self) -> str: ...


class Words:
    """Ids that begin with the account's `prefix`, for protocols whose ids are texts."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._messages, self._strays, self._replies = count(1), count(1), count(1)

    def messages(self, number: int) -> list[str]:
        """So many, for messages."""
        prefix, messages = self._prefix, self._messages
        return [f"{prefix}{next(messages)}" for _ in range(number)]

    def stray(self) -> str:
        return f"{self._prefix}x{next(self._strays)}"

    def reply(self) -> str:
        return f"{self._prefix}r{next(self._replies)}"


class Numbers:
    """Ids of 64 bits as carriers make them (CMPP's Msg_Id): the time in MMDDhhmmss, 26 bits; the gateway, 22 bits,
    which stand here for account and process; a sequence of 16 bits. As texts they are 16 hex digits."""

    def __init__(self, gateway: int, now: Callable[[], float] = time.time) -> None:
        self._gateway = gateway << 16
        self._now = now
        self._sequence = 0
        self._second = 0
        self._stamp = 0

    def block(self, size: int) -> int:
        """The first of `size` numbers in a row: the parts of one message follow each other."""
        second = int(self._now())
        if second != self._second:
            self._second = second
            self._stamp = stamp(datetime.fromtimestamp(second, UTC).astimezone(BEIJING)) << 38
        if self._sequence + size > SEQUENCES:
            self._sequence = 0
        first = self._stamp | self._gateway | self._sequence
        self._sequence += size
        return first

    def stray(self) -> str:
        return f"{self.block(1):016x}"

    def reply(self) -> str:
        return f"{self.block(1):016x}"


class Serials:
    """Ids as WeChat's platforms make them: numbers of at most 62 bits that count up, as decimal digits. `first` stands
    for account and process."""

    def __init__(self, first: int) -> None:
        self._numbers = count((first & 0xFFFFFFFF) << 30 | 1)

    def message(self) -> str:
        return str(next(self._numbers))

    def stray(self) -> str:
        return self.message()

    def reply(self) -> str:
        return self.message()


def stamp(at: datetime) -> int:
    """The 26 bits of a moment: month 4, day 5, hour 5, minute 6, second 6."""
    return at.month << 22 | at.day << 17 | at.hour << 12 | at.minute << 6 | at.second
