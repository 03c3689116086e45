"""What an account has seen so far."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Counts(msgspec.Struct):
    """Messages, receipts and replies are counted one by one. `…_waiting` are not acknowledged yet (sent or not)."""

    connections: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    receipts_sent: int = 0
    receipts_acknowledged: int = 0
    receipts_waiting: int = 0
    replies_sent: int = 0
    replies_acknowledged: int = 0
    replies_waiting: int = 0
    redelivered: int = 0
    lost_connections: int = 0
    in_flight_lost: int = 0
    protocol_errors: int = 0


def total(counts: Iterable[Counts]) -> Counts:
    """The sum over accounts."""
    everything = list(counts)
    return Counts(*(sum(getattr(one, field) for one in everything) for field in Counts.__struct_fields__))
