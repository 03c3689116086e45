"""What a call is placed with, and what comes of it.

| what happened | evidence |
|---|---|
| the recording was said to its end, once | delivered |
| a key was pressed | delivered, and a reply |
| the other end hung up before | failed, with the seconds that were heard |
| busy, no answer, not reached, declined | failed, with the reason |
"""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.ports import DeliveryKey, Envelope
from channels.voice.sip.media.recording import Recording


@dataclass(frozen=True, slots=True)
class Rules:
    """How calls are made; times in seconds. `settle` after the trunk's 100, within which it may still say that it has
    no line; `ring` until nobody answers; `key` for which a key is waited for behind the last word, where the message
    asks for one; `final` the keys that end the call, `again` the ones that begin the recording anew."""

    repeats: int
    pause: float
    key: float
    final: str
    again: str
    settle: float
    ring: float
    congestion: frozenset[int]
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to call: the message's envelope, the number as the trunk wants it, the recording."""

    envelope: Envelope
    dialled: str
    recording: Recording

    @property
    def key(self) -> DeliveryKey:
        return self.envelope.key


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a call that the trunk had taken: `good` it was heard or confirmed, otherwise `reason` why not."""

    good: bool
    reason: str
