"""How many messages go to a driver in one call, and what they cost of the account's rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from broadcaster.dispatch.load import Load
from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.slots import Slot
from broadcaster.ports import Driver, Envelope, Occupies, Weighs

Part = list[tuple[Load, Sequence[Envelope]]]
"""What goes to the driver in one call: pieces of one or several loads."""


class Slices:
    """`most` messages, or what costs as much, of a slot's traffic are a slice; a message costs one, or what its driver
    says (`Weighs`), and no slice is larger than the driver has lines for (`Occupies`)."""

    def __init__(self, slot: Slot, driver: Driver, pace: Pace) -> None:
        self.most = min(pace.slice, driver.capabilities.batch_max)
        self._rate = slot.tokens
        self._weigh = driver.weight if isinstance(driver, Weighs) else None
        self._lines = driver if isinstance(driver, Occupies) else None

    @property
    def holds_lines(self) -> bool:
        """Whether messages go on after they were accepted."""
        return self._lines is not None

    @property
    def busy(self) -> bool:
        """Whether all lines are taken."""
        return self._lines is not None and self._lines.free() <= 0

    def next_of(self, rest: Iterable[Load]) -> tuple[int, int]:
        """How many of the next messages go out together, and their cost."""
        most = self.most if self._lines is None else min(self.most, self._lines.free())
        if self._weigh is None:
            count = min(most, sum(load.left for load in rest))
            return count, count
        count = cost = 0
        for envelope in chain.from_iterable(load.envelopes[load.sent : load.sent + most] for load in rest):
            weight = self._weigh(envelope)
            if (count and cost + weight > self.most) or count == most:
                break
            count, cost = count + 1, cost + weight
        return count, min(cost, self._rate)

    def cost(self, part: Part) -> int:
        """What messages cost; one that is more than a connection may send in a period costs all of it."""
        if self._weigh is None:
            return sum(len(piece) for _, piece in part)
        return min(self._rate, sum(self._weigh(envelope) for _, piece in part for envelope in piece))

    def cost_of(self, envelope: Envelope) -> int:
        """The same of one."""
        return 1 if self._weigh is None else min(self._rate, self._weigh(envelope))
