"""What a worker remembers of the message ids that gateways gave."""

from __future__ import annotations

from broadcaster.ports import DeliveryKey

MOST = 100_000

_ATTEMPT, _ORDINAL = 16, 32
"""Bits of a key's parts: more than the ledger's columns have."""


class RecentRefs:
    """The last message ids of one gateway and the deliveries they stand for, so that few receipts need the database:
    at least the last `most`, at most twice as many, which takes 20 to 40 MB at the most.

    Two generations: when the young one is full the old one goes as a whole. Keys are kept as one number each; as tuples
    in an ordered mapping they took twice the room.

    `misnames`: this gateway was caught giving another message's key back; from then on only its own ids are believed.
    """

    def __init__(self, most: int = MOST) -> None:
        self.misnames = False
        self._most = most
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def __setitem__(self, ref: str, key: DeliveryKey) -> None:
        self._young[ref] = (key.alert << _ORDINAL | key.ordinal) << _ATTEMPT | key.attempt
        if len(self._young) >= self._most:
            self._young, self._old = {}, self._young

    def get(self, ref: str) -> DeliveryKey | None:
        """The delivery of a message, if it is remembered."""
        found = self._young.get(ref)
        if found is None:
            found = self._old.get(ref)
        if found is None:
            return None
        whose, attempt = found >> _ATTEMPT, found & ((1 << _ATTEMPT) - 1)
        return DeliveryKey(whose >> _ORDINAL, whose & ((1 << _ORDINAL) - 1), attempt)
