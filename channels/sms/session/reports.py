"""Status reports about parts become evidence about messages: delivered when every part was, failed when one was not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.ports import DeliveryKey

MOST = 200_000
"""Parts whose message is remembered; a report about an older one names its part alone, which the ledger knows if it is
the message's last."""


@dataclass(slots=True)
class _Expected:
    """A message of several parts: its key, which of them are not proved yet, and whether one did not arrive."""

    key: DeliveryKey
    ref: str
    left: set[str]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a report proves of a message. `key` None: only the gateway's id is known."""

    key: DeliveryKey | None
    ref: str


class Reports:
    """What all connections of one account remember: a report may come on any of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._expected: OrderedDict[str, _Expected] = OrderedDict()

    def expect(self, key: DeliveryKey, refs: Sequence[str]) -> None:
        """Reports may come about these parts of a message. One part alone needs no memory: the ledger knows its id."""
        if len(refs) < 2:
            return
        expected = _Expected(key, refs[-1], set(refs))
        for ref in refs:
            self._expected[ref] = expected
        while len(self._expected) > self._most:
            self._expected.popitem(last=False)

    def delivered(self, ref: str) -> Proof | None:
        """The message of which `ref` was the last part to arrive; None while others are missing."""
        expected = self._expected.pop(ref, None)
        if expected is None:
            return Proof(None, ref)
        expected.left.discard(ref)
        return None if expected.left or expected.failed else Proof(expected.key, expected.ref)

    def failed(self, ref: str) -> Proof | None:
        """The message that did not arrive, because its part `ref` did not; None when that is known already."""
        expected = self._expected.pop(ref, None)
        if expected is None:
            return Proof(None, ref)
        known, expected.failed = expected.failed, True
        return None if known else Proof(expected.key, expected.ref)
