"""A gateway: its settings, what it can do, its conversation log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from broadcaster.ports.message import Medium
from broadcaster.ports.sound import Sound


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver's gateway can do; forms, documents and the dispatcher read this, no central list does.

    `window`: messages in flight per connection. `batch_max`: most envelopes that one `send` may get. `by_parts`: the
    gateway counts the parts of a text against the account's rate and the window; the driver then `Weighs`. `sound`: the
    format in which it wants recordings; None for the medium's own (loudspeaker MP3, voice A-law). `holds`: about how
    many seconds a message keeps its place in the window after it was accepted, as a call does its line; the driver then
    `Occupies`.
    """

    receipts: bool
    replies: bool
    window: int
    batch_max: int
    by_parts: bool = False
    sound: Sound | None = None
    holds: float = 0.0


class Journal(Protocol):
    """A gateway's conversation log: the driver writes redacted exchanges, the gateway's page shows the last ones."""

    def note(self, direction: str, text: str) -> None:
        """Keep one line; `direction` is "→" (sent), "←" (received) or "!" (fault). No secret, no personal data."""
        ...


NETWORKS = ("mobile", "unicom", "telecom", "broadnet")
"""The carriers: China Mobile, China Unicom, China Telecom, China Broadnet."""


PLATFORMS = ("official", "wecom", "group")
"""What takes WeChat's place of a carrier: an address is good on one of them only, and says by its form on which:
followers of the official account, members of the office's WeCom, groups with a robot of ours."""


ANY_NETWORK = ""
"""Of an address whose carrier is not known, or does not matter."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One configured connection on a channel.

    `rate` in messages/s for the whole account, `slots` connections at the most, `priority` lower goes first and the
    others stand by, `weight` share among equals, `networks` the carriers whose numbers it is for, or the platforms
    whose addresses (none: all), `options` the driver's own keys (validated by the driver's `settings` type).
    """

    name: str
    channel: Medium
    driver: str
    rate: float
    slots: int = 1
    rehearsal: bool = False
    priority: int = 0
    weight: int = 1
    networks: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
