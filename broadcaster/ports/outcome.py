"""What became of one attempt to send."""

from __future__ import annotations

import msgspec

from broadcaster.ports.message import DeliveryKey


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The gateway has it; `ref` is the gateway's own message id, "" where the protocol has none."""

    key: DeliveryKey
    ref: str


class Deferred(msgspec.Struct, frozen=True, gc=False):
    """Not now (throttled, busy, full): try again after `after` seconds. Nothing was sent.

    `address_only`: it is this address's own matter (a group that may have no more this minute, a terminal that is just
    starting), and says nothing against the gateway.
    """

    key: DeliveryKey
    reason: str
    after: float
    address_only: bool = False


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Never on this gateway (bad address, refused content): trying again would not help."""

    key: DeliveryKey
    reason: str


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """It may or may not have been sent (the connection broke before the answer): it will be sent again."""

    key: DeliveryKey
    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown
