"""A load: one claimed batch on its way, and when what is left of it may be tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broadcaster.dispatch.ledger import Batch, Release
from broadcaster.ports import Envelope

RETRY_FLOOR = 0.5
RETRY_CEILING = 60.0
"""Seconds before what is still open in a batch is tried again: doubled with every claim, between these."""

OWED = 5.0
"""Seconds for which a gateway may still take what it gave no answer about: it lies in buffers on the way, on a
connection that was lost."""

OWED_IN_SILENCE = 30.0
"""The same for a gateway that has fallen silent while its connection stands: about as long as a driver waits for an
answer before it gives the connection up."""

LONGEST_DEFERRAL = 300.0
"""Seconds that a gateway may put us off: a warning that waits longer may as well be tried."""


@dataclass(slots=True, eq=False)
class Load:
    """`envelopes` from `sent` on are still to be written; of those before, `open` have no answer yet. The batch is
    given back (`release`) once, when nothing is to be written and nothing is open. `known_at`: monotonic seconds at
    which it was known to be wanted, and to come first.
    """

    batch: Batch
    envelopes: Sequence[Envelope]
    now: datetime
    release: Callable[[Release], None]
    sent: int = 0
    open: int = 0
    known_at: float = field(default_factory=time.monotonic)
    not_before: datetime = field(init=False)
    _owed: float | None = None
    _released: bool = False

    def __post_init__(self) -> None:
        self.not_before = self.now

    @property
    def left(self) -> int:
        """How many are still to be written."""
        return len(self.envelopes) - self.sent

    def take(self, most: int) -> Sequence[Envelope]:
        """The next at most `most` to be written; they are open until `answered`."""
        part = self.envelopes[self.sent : self.sent + most]
        self.sent += len(part)
        self.open += len(part)
        return part

    def keep(self, ordinals: set[int]) -> None:
        """Of what is still to be written, write only these."""
        self.envelopes = [one for one in self.envelopes[self.sent :] if one.key.ordinal in ordinals]
        self.sent = 0
        self._settle()

    def drop(self) -> None:
        """Write nothing more of it."""
        self.keep(set())

    def answered(self, count: int) -> None:
        """`count` of the open ones have an outcome."""
        self.open -= count
        self._settle()

    def abandon(self) -> None:
        """Give the batch back at once, although some are open: whoever takes it sends those again."""
        self.sent = len(self.envelopes)
        self._owed = OWED_IN_SILENCE
        self._give_back()

    def unanswered(self) -> None:
        """The gateway gave no answer about some, and may have them, or come to have them."""
        self._owed = OWED

    def again(self, seconds: float) -> None:
        """What is left may be tried again after `seconds` at the soonest."""
        self.not_before = max(self.not_before, self.now + timedelta(seconds=seconds))

    def _settle(self) -> None:
        if not self.left and not self.open:
            self._give_back()

    def _give_back(self) -> None:
        if not self._released:
            self._released = True
            self.release(Release(self.batch, self.not_before, self._owed))


def backoff(claims: int) -> float:
    """Seconds before the next try of what was claimed `claims` times."""
    return min(RETRY_CEILING, RETRY_FLOOR * 2.0 ** min(claims, 16))


def bearable(after: float) -> float:
    """The seconds that a gateway asked for, as far as a warning can wait."""
    return after if 0 <= after < LONGEST_DEFERRAL else LONGEST_DEFERRAL
