"""What comes back: receipts, replies, who follows; and where a driver puts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from broadcaster.ports.message import DeliveryKey


class Evidence(StrEnum):
    """What a gateway can prove afterwards. For loudspeakers `DELIVERED` means played."""

    DELIVERED = "delivered"
    FAILED = "failed"


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A gateway's evidence about one message, named by the gateway's `ref`, by our `key`, or both."""

    ref: str
    key: DeliveryKey | None
    evidence: Evidence
    reason: str
    at: datetime


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What a person sent back: `id` is the gateway's own id of it (for deduplication), `text` as written or pressed.

    `at` is when it was written, to the second, by the gateway's clock: what was answered before an alert reached
    somebody is no answer to it. A driver whose protocol tells only minutes, or nothing, gives the time at which it got
    the reply.

    `key` is the message that it answers, where the medium knows (a key pressed during a call).
    """

    id: str
    address: str
    text: str
    at: datetime
    key: DeliveryKey | None = None


class Follow(msgspec.Struct, frozen=True, gc=False):
    """Somebody began to follow our account on a platform (`follows`), or ceased to; or, following already, scanned a
    code of ours. `scene` is what that code says, as `Invites.invite` was told, "" when there was none."""

    address: str
    follows: bool
    scene: str
    at: datetime


class Inbox(Protocol):
    """Where a driver puts what comes back. Both return only when it is stored: acknowledge to the gateway after
    that."""

    async def receipts(self, items: Sequence[Receipt]) -> None: ...

    async def replies(self, items: Sequence[Reply]) -> None: ...
