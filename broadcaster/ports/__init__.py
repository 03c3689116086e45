"""What channels and adapters implement, and the values that cross that line.

A driver attempts once and classifies what happened. It sees no database, no queue and no retry policy: those are the
core's. Drivers are registered by entry points in the group `broadcaster.channels`; see `registry.py`.

What is made once per message is a msgspec structure: it is as strict as a frozen dataclass and made in a fifth of the
time.
"""

from __future__ import annotations

from broadcaster.ports.callback import CallbackResult, Inquiry, Order, OrderStanding, OrderState
from broadcaster.ports.driver import Driver, Occupies, Recalls, Sent, Streams, Weighs
from broadcaster.ports.evidence import Evidence, Follow, Inbox, Receipt, Reply
from broadcaster.ports.gateway import ANY_NETWORK, NETWORKS, PLATFORMS, Capabilities, GatewaySettings, Journal
from broadcaster.ports.message import Attachment, DeliveryKey, Envelope, Medium, Message, Notice
from broadcaster.ports.outcome import Accepted, Deferred, Outcome, Rejected, Unknown
from broadcaster.ports.plugin import (
    BringsFiles,
    DriverPlugin,
    GoesByTime,
    Invites,
    OnPlatform,
    ParsesCallback,
    TakesOrders,
)
from broadcaster.ports.sound import DIALECTS, Audio, Passage, Sound
from broadcaster.ports.studio import EngineReport, EngineSettings, Studio

__all__ = [
    "ANY_NETWORK",
    "DIALECTS",
    "NETWORKS",
    "PLATFORMS",
    "Accepted",
    "Attachment",
    "Audio",
    "BringsFiles",
    "CallbackResult",
    "Capabilities",
    "Deferred",
    "DeliveryKey",
    "Driver",
    "DriverPlugin",
    "EngineReport",
    "EngineSettings",
    "Envelope",
    "Evidence",
    "Follow",
    "GatewaySettings",
    "GoesByTime",
    "Inbox",
    "Inquiry",
    "Invites",
    "Journal",
    "Medium",
    "Message",
    "Notice",
    "Occupies",
    "OnPlatform",
    "Order",
    "OrderStanding",
    "OrderState",
    "Outcome",
    "ParsesCallback",
    "Passage",
    "Recalls",
    "Receipt",
    "Rejected",
    "Reply",
    "Sent",
    "Sound",
    "Streams",
    "Studio",
    "TakesOrders",
    "Unknown",
    "Weighs",
]
