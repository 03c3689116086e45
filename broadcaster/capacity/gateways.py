"""What the configured gateways of a channel take together, and what holds them to it.

Gateways count messages: no driver counts the parts of a text message. Of the gateways of a channel on the alert's side
of the wall between drills and the real thing, those of the lowest `priority` send at once; the others stand by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.dispatch.slots import Gateway, Slot, usable
from broadcaster.ports import GatewaySettings, Medium

WindowOf = Callable[[GatewaySettings], int]
"""Messages that one connection of a gateway may have in flight."""


class Limit(StrEnum):
    """What makes a channel no faster."""

    RATE = "rate"  # the accounts' rate
    WINDOW = "window"  # what may be in flight, on the connections there are
    MACHINE = "machine"  # what workers and database carry
    NO_GATEWAY = "no_gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCapacity:
    """`rate` as configured; `slots` connections that have something to send, each with `window` messages in flight;
    `per_second` messages that come of it."""

    name: str
    rate: float
    slots: int
    window: int
    per_second: float
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCapacity:
    """What a channel takes: `per_second` messages, over all of `gateways`."""

    channel: Medium
    per_second: float
    limit: Limit
    gateways: tuple[GatewayCapacity, ...]


def channel_capacity(
    channel: Medium,
    gateways: Iterable[GatewaySettings],
    *,
    rehearsal: bool,
    answer: float,
    machine: float,
    window_of: WindowOf,
) -> ChannelCapacity:
    """The capacity of `channel` for drills or for the real thing, with gateways that answer after `answer` seconds, on
    a machine that carries `machine` messages per second."""
    able = [gateway for gateway in gateways if gateway.channel is channel and gateway.rehearsal is rehearsal]
    first = min((gateway.priority for gateway in able), default=0)
    found = tuple(
        gateway_capacity(gateway, window_of(gateway), answer) for gateway in able if gateway.priority == first
    )
    together = math.fsum(one.per_second for one in found)
    if not found:
        limit = Limit.NO_GATEWAY
    elif together > machine:
        limit = Limit.MACHINE
    else:
        limit = max(found, key=lambda one: one.per_second).limit
    return ChannelCapacity(channel=channel, per_second=min(together, machine), limit=limit, gateways=found)


def gateway_capacity(settings: GatewaySettings, window: int, answer: float) -> GatewayCapacity:
    """What one gateway takes: a message's share of the rate comes back a period after its answer."""
    gateway = Gateway(0, settings)
    slots = [Slot(gateway, number) for number in range(1, usable(settings) + 1)]
    paced = sum(slot.tokens / (slot.period + answer) for slot in slots)
    in_flight = len(slots) * window / answer if answer else paced
    return GatewayCapacity(
        name=settings.name,
        rate=settings.rate,
        slots=len(slots),
        window=window,
        per_second=min(paced, in_flight),
        limit=Limit.RATE if paced <= in_flight else Limit.WINDOW,
    )
