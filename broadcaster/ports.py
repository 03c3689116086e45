"""What channels and adapters implement, and the values that cross that line.

A driver attempts once and classifies what happened. It sees no database, no queue and no retry policy: those are the
core's. Drivers are registered by entry points in the group `broadcaster.channels`; see `registry.py`.

What is made once per message is a msgspec structure: it is as strict as a frozen dataclass and made in a fifth of the
time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec


class Medium(StrEnum):
    """The channels of the house: the ways to reach people."""

    SMS = "sms"
    WECHAT = "wechat"
    EMAIL = "email"
    VOICE = "voice"
    LOUDSPEAKER = "loudspeaker"


class DeliveryKey(NamedTuple):
    """Which attempt of which delivery: our client reference wherever a protocol has room for one."""

    alert: int
    ordinal: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.alert}-{self.ordinal}-{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> DeliveryKey:
        """The key that `str()` wrote; ValueError for anything else."""
        alert, ordinal, attempt = text.split("-")
        return cls(int(alert), int(ordinal), int(attempt))


@dataclass(frozen=True, slots=True)
class Audio:
    """A broadcast file that is ready to play: path, media type, length in seconds, SHA-256 in hex."""

    path: Path
    media_type: str
    seconds: float
    sha256: str


class Message(msgspec.Struct, frozen=True, gc=False):
    """One text as it goes out on one medium, complete: nothing is filled in after this.

    `text` is the SMS text, the mail's plain body, the spoken text; `subject` the mail's subject or the card's title;
    `html` the mail's HTML body; `fields` a template's named values (WeChat); `url` the reply or information page;
    `audio` the file for voice and loudspeakers.
    """

    text: str
    subject: str = ""
    html: str = ""
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    url: str = ""
    audio: Audio | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """One message to one address. `urgency` is 0 (red) to 3 (blue); nothing is sent after `expires`."""

    key: DeliveryKey
    address: str
    message: Message
    urgency: int
    expires: datetime


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The gateway has it; `ref` is the gateway's own message id, "" where the protocol has none."""

    key: DeliveryKey
    ref: str


class Deferred(msgspec.Struct, frozen=True, gc=False):
    """Not now (throttled, busy, full): try again after `after` seconds. Nothing was sent."""

    key: DeliveryKey
    reason: str
    after: float


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Never on this gateway (bad address, refused content): trying again would not help."""

    key: DeliveryKey
    reason: str


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """It may or may not have been sent (the connection broke before the answer): it will be sent again."""

    key: DeliveryKey
    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown


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


class Inbox(Protocol):
    """Where a driver puts what comes back. Both return only when it is stored: acknowledge to the gateway after
    that."""

    async def receipts(self, items: Sequence[Receipt]) -> None: ...

    async def replies(self, items: Sequence[Reply]) -> None: ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver's gateway can do; forms, documents and the dispatcher read this, no central list does.

    `window`: messages in flight per connection. `batch_max`: most envelopes that one `send` may get.
    """

    receipts: bool
    replies: bool
    window: int
    batch_max: int


class Journal(Protocol):
    """A gateway's conversation log: the driver writes redacted exchanges, the gateway's page shows the last ones."""

    def note(self, direction: str, text: str) -> None:
        """Keep one line; `direction` is "→" (sent), "←" (received) or "!" (fault). No secret, no personal data."""
        ...


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One configured connection on a channel.

    `rate` in messages/s for the whole account, `slots` connections at the most, `priority` lower goes first and the
    others stand by, `weight` share among equals, `options` the driver's own keys (validated by the driver's
    `settings` type).
    """

    name: str
    channel: Medium
    driver: str
    rate: float
    slots: int = 1
    rehearsal: bool = False
    priority: int = 0
    weight: int = 1
    options: Mapping[str, object] = field(default_factory=dict)


class Driver(Protocol):
    """One connection (slot) of one gateway."""

    capabilities: Capabilities

    async def open(self, inbox: Inbox) -> None:
        """Connect and sign in; what comes back from now on goes to `inbox`. Raises `UnavailableError`."""
        ...

    def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """Send each envelope once; yield one outcome for each, in any order, never raising for a single message."""
        ...

    async def close(self) -> None:
        """Finish what is in flight, say good-bye, disconnect. Never raises."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A driver with a long-lived connection: it can tell when that ends, also while nothing is being sent."""

    async def lost(self) -> str:
        """Return, with the reason, once there is no connection (any more)."""
        ...


class DriverPlugin(Protocol):
    """What an entry point in `broadcaster.channels` names: how to make a driver for a gateway."""

    name: str
    channel: Medium

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver for one slot; raises `SettingsError` when the gateway's options are wrong."""
        ...


class Studio(Protocol):
    """Makes the files that loudspeakers play and calls say. The core is handed one; it does not know how it is done."""

    async def build(
        self, text: str, medium: Medium, *, colour: str, repeats: int = 1, drill: bool = False, language: str = "zh-CN"
    ) -> Audio:
        """The finished broadcast of `text` (voice or loudspeaker); the same text again costs nothing.

        `colour` is red, orange, yellow, blue or "" and chooses the attention tone; `repeats` 1 to 10. Raises
        `InputError` for what cannot be said and `UnavailableError` when speech, encoder or disk fail.
        """
        ...

    def estimate(self, text: str, medium: Medium, *, colour: str, repeats: int = 1, drill: bool = False) -> float:
        """About how many seconds that broadcast will last; nothing is built."""
        ...

    async def close(self) -> None:
        """Give up what is being built and end the speech engine."""
        ...


@runtime_checkable
class ParsesCallback(Protocol):
    """A plugin whose gateway calls us over HTTP (`/callbacks/{gateway}`)."""

    def parse(
        self, gateway: GatewaySettings, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> CallbackResult:
        """Receipts, replies and the answer the provider expects; `UnauthenticatedError` or `InputError` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """What a provider's callback carried, and what to answer once it is stored."""

    receipts: Sequence[Receipt]
    replies: Sequence[Reply]
    status: int
    content_type: str
    body: bytes
