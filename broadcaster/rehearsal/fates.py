"""What happens to a message and its reader: dealt from seeded decks by a hash, so that a run repeats.

A reader's traits depend on seed, channel and address (a number that does not exist never exists); the weather of one
attempt also on alert and attempt (a receipt that was lost once need not be lost again).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any
from zlib import crc32

from broadcaster.rehearsal.script import Behaviour, Delay

CARDS = 8192
"""Cards in a deck: shares are honoured to about one in eight thousand."""

MASK = CARDS - 1


class Traits:
    """A reader: refused or failing for a reason, or not; what they would write back; how they confirm when asked."""

    __slots__ = (
        "failure",
        "refusal",
        "resident_delay",
        "resident_text",
        "silent",
        "unit_delay",
        "unit_text",
        "unit_way",
        "with_code",
    )

    def __init__(self, random: Random, behaviour: Behaviour, pace: float) -> None:
        residents, duty = behaviour.residents, behaviour.duty
        self.refusal = pick_share(random, behaviour.refuse)
        self.failure = pick_share(random, behaviour.failures)
        self.resident_text = pick_weight(random, residents.texts) if random.random() < residents.share else ""
        self.resident_delay = draw(random, residents.after) * pace
        self.silent = random.random() < duty.silent
        self.unit_way = pick_weight(random, duty.ways)
        self.unit_text = pick_weight(random, duty.texts)
        self.unit_delay = draw(random, duty.after) * pace
        self.with_code = random.random() < duty.with_code


class Weather:
    """One attempt: seconds until the receipt, and what is odd about it (`plain`: nothing)."""

    __slots__ = ("busy", "delay", "duplicate", "early", "lost", "plain", "stray", "wrong")

    def __init__(self, random: Random, behaviour: Behaviour, pace: float) -> None:
        self.delay = draw(random, behaviour.receipt) * pace
        if random.random() < behaviour.late:
            self.delay += draw(random, behaviour.late_after) * pace
        self.busy = random.random() < behaviour.busy
        self.lost = random.random() < behaviour.loss
        self.duplicate = random.random() < behaviour.duplicate
        self.early = random.random() < behaviour.early
        self.stray = random.random() < behaviour.stray
        self.wrong = random.random() < behaviour.wrong
        self.plain = not (self.busy or self.lost or self.duplicate or self.early or self.stray or self.wrong)


class Fates:
    """The decks of one channel's behaviour; a card is made when it is first dealt."""

    def __init__(self, seed: int, channel: str, behaviour: Behaviour, pace: float) -> None:
        self._behaviour = behaviour
        self._pace = pace
        self._seed = crc32(f"{seed}/{channel}".encode())
        self._traits: list[Traits | None] = [None] * CARDS
        self._weather: list[Weather | None] = [None] * CARDS

    def mark(self, address: str) -> int:
        """The number that stands for a reader."""
        return crc32(address.encode(), self._seed)

    def traits(self, mark: int) -> Traits:
        """Who reads there."""
        card = mark & MASK
        return self._traits[card] or self._deal_traits(card)

    def weather(self, mark: int, alert: int, attempt: int) -> Weather:
        """What happens to this attempt."""
        card = ((mark >> 13) + alert * 5003 + attempt * 40503) & MASK
        return self._weather[card] or self._deal_weather(card)

    def _deal_traits(self, card: int) -> Traits:
        traits = self._traits[card] = Traits(repeatable(self._seed * CARDS + card), self._behaviour, self._pace)
        return traits

    def _deal_weather(self, card: int) -> Weather:
        weather = self._weather[card] = Weather(repeatable(-self._seed * CARDS - card), self._behaviour, self._pace)
        return weather


def repeatable(seed: int | str) -> Random:
    """Chance that is the same in every run."""
    return Random(seed)  # noqa: S311 (nothing is kept secret with it)


def draw(random: Random, delay: Delay) -> float:
    """One wait, in seconds."""
    if delay.spread == 0 or delay.median == 0:
        return delay.median
    return min(random.lognormvariate(math.log(delay.median), delay.spread), delay.most)


def pick_weight(random: Random, weights: Mapping[Any, float]) -> str:
    """One of the keys, by weight; "" when there is none."""
    if not weights:
        return ""
    return str(random.choices(list(weights), list(weights.values()))[0])


def pick_share(random: Random, shares: Mapping[str, float]) -> str:
    """One of the keys, each with its own share of all cases; "" for the rest."""
    chosen = random.random()
    for key, share in shares.items():
        chosen -= share
        if chosen < 0:
            return key
    return ""
