"""Accidents of one connection that take time: a gateway that hangs, reads slowly, or answers out of order."""

from __future__ import annotations

from random import Random

from broadcaster.rehearsal.script import Faults
from channels.line.wire import AnswerRow

PIECES = 4
"""Parts in which the answers to a shuffled frame come."""

APART = 0.02
"""Seconds between two of them."""


class Accidents:
    """What has befallen a connection so far; times are the loop's."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken = 0
        self._silent_until = 0.0

    def took(self, count: int, faults: Faults, now: float) -> None:
        """`count` messages more were taken."""
        self._taken += count
        if faults.hang_after and self._taken >= faults.hang_after:
            self._taken = 0
            self._silent_until = now + faults.hang_for

    def silence(self, now: float) -> float:
        """Seconds for which nothing is said any more."""
        return max(0.0, self._silent_until - now)

    def pieces(self, answers: list[AnswerRow], faults: Faults) -> list[tuple[float, list[AnswerRow]]]:
        """The answers to a frame in the parts in which they are given, and how much later each."""
        if not faults.shuffle or len(answers) < 2 or self._random.random() >= faults.shuffle:
            return [(0.0, answers)]
        size = -(-len(answers) // PIECES)
        parts = [answers[start : start + size][::-1] for start in range(0, len(answers), size)]
        self._random.shuffle(parts)
        return [(place * APART, part) for place, part in enumerate(parts)]
