"""Status reports about parts become evidence about messages: delivered when every part was, failed when one was not."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from broadcaster.ports import DeliveryKey

MOST = 500_000
"""Parts whose message is remembered, and half as many at the least: some minutes of the fastest account, 55 MB. A
report about an older one names its part alone, which the ledger knows if it is the message's last."""

MOST_ARRIVED = 50_000
"""Parts of messages that were delivered that are remembered."""


@dataclass(slots=True, eq=False)
class Expected:
    """A message of several parts: its key, how many there are, the ids of those that were taken (the one that was
    answered last is the message's) and of those that have arrived, and whether one did not.

    It is remembered until every part was, and for a while longer: a report that comes twice must not pass for that of a
    message in one part, and one that could not be stored comes again.
    """

    key: DeliveryKey
    total: int
    refs: list[str] = field(default_factory=list)
    arrived: frozenset[str] = frozenset()
    failed: bool = False


class Proof(msgspec.Struct, frozen=True, gc=False):
    """What a report proves of a message. `key` None: only the gateway's id is known."""

    key: DeliveryKey | None
    ref: str


class Reports:
    """What all connections of one account remember: a report may come on any of them."""

    def __init__(self, most: int = MOST) -> None:
        self._generation = max(1, most // 2)
        self._young: dict[str, Expected] = {}
        self._old: dict[str, Expected] = {}
        self._arrived: OrderedDict[str, Expected] = OrderedDict()

    def expect(self, message: Expected, ref: str) -> None:
        """A part of `message` was taken, and a report may come about it, also before the other parts are taken.
        Messages of one part need no memory: the ledger knows their id."""
        message.refs.append(ref)
        self._young[ref] = message
        if len(self._young) >= self._generation:
            for old, forgotten in self._old.items():
                forgotten.arrived |= {old}  # the message is judged by its other parts
            self._old, self._young = self._young, {}

    def delivered(self, ref: str) -> Proof | None:
        """The message of which `ref` was the last part to arrive; None while others are missing."""
        expected = self._find(ref)
        if expected is None:
            return Proof(None, ref)
        expected.arrived |= {ref}
        if len(expected.arrived) < expected.total or expected.failed:
            return None
        self._retire(expected)
        return Proof(expected.key, expected.refs[-1])

    def failed(self, ref: str) -> Proof | None:
        """The message that did not arrive, because its part `ref` did not; None when that is known already."""
        expected = self._find(ref)
        if expected is None:
            return Proof(None, ref)
        known, expected.failed = expected.failed, True
        return None if known else Proof(expected.key, expected.refs[-1])

    def _find(self, ref: str) -> Expected | None:
        return self._young.get(ref) or self._old.get(ref) or self._arrived.get(ref)

    def _retire(self, expected: Expected) -> None:
        for ref in expected.refs:
            if (self._young.pop(ref, None) or self._old.pop(ref, None)) is not None:
                self._arrived[ref] = expected
        while len(self._arrived) > MOST_ARRIVED:
            self._arrived.popitem(last=False)
