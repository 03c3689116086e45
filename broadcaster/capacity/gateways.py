"""What the configured gateways of a channel take together, and what holds them to it.

Some gateways count messages, others the parts of a text message, as their driver says. Of the gateways of a channel on
the alert's side of the wall between drills and the real thing, those of the lowest `priority` send at once; the others
stand by. Where some are for one carrier only, a channel is as slow as the carrier whose gateways have most to send for
what they take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.dispatch.lineup import Leads, Repute, standings
from broadcaster.dispatch.networks import every, share
from broadcaster.dispatch.slots import Gateway, Slot, usable
from broadcaster.ports import Capabilities, GatewaySettings, Medium

Abilities = Callable[[GatewaySettings], Capabilities]
"""What a gateway's driver can do."""


class Limit(StrEnum):
    """What makes a channel no faster."""

    RATE = "rate"  # the accounts' rate
    WINDOW = "window"  # what may be in flight, on the connections there are
    MACHINE = "machine"  # what workers and database carry
    NO_GATEWAY = "no_gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCapacity:
    """`rate` as configured; `slots` connections that have something to send, each with `window` messages in flight;
    `by_parts`: both count the parts of a text; `per_second` messages that come of it."""

    name: str
    rate: float
    slots: int
    window: int
    by_parts: bool
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
    abilities: Abilities,
    parts: float = 1.0,
) -> ChannelCapacity:
    """The capacity of `channel` for drills or for the real thing, with gateways that answer after `answer` seconds, on
    a machine that carries `machine` messages per second, each of `parts` on average."""
    able = [gateway for gateway in gateways if gateway.channel is channel and gateway.rehearsal is rehearsal]
    crews = _crews(able)
    found = tuple(gateway_capacity(one, abilities(one), answer, parts) for crew, _ in crews for one in crew)
    takes = {one.name: one.per_second for one in found}
    together = min((math.fsum(takes[one.name] for one in crew) / part for crew, part in crews), default=0.0)
    if not found:
        limit = Limit.NO_GATEWAY
    elif together > machine:
        limit = Limit.MACHINE
    else:
        limit = max(found, key=lambda one: one.per_second).limit
    return ChannelCapacity(channel=channel, per_second=min(together, machine), limit=limit, gateways=found)


def _crews(gateways: Sequence[GatewaySettings]) -> list[tuple[list[GatewaySettings], float]]:
    """The gateways that send while all are up, those together that send for the same networks, with the share of all
    messages that is theirs."""
    everybody = [Gateway(number, settings) for number, settings in enumerate(gateways)]
    found = standings(everybody, {gateway.id: Repute(up=True) for gateway in everybody})
    crews: list[tuple[list[GatewaySettings], frozenset[str]]] = []
    for gateway in everybody:
        standing = found[gateway.id]
        if not isinstance(standing, Leads):
            continue
        everything = every(gateway.settings.channel)
        crew, led = [gateway.settings], everything if standing.networks is None else standing.networks
        for other in [other for other in crews if other[1] & led]:
            crews.remove(other)
            crew, led = [*other[0], *crew], led | other[1]
        crews.append((crew, led))
    shares = [(crew, share(crew[0].channel, led)) for crew, led in crews]
    return [(crew, part) for crew, part in shares if part > 0]


def gateway_capacity(
    settings: GatewaySettings, able: Capabilities, answer: float, parts: float = 1.0
) -> GatewayCapacity:
    """What one gateway takes: a message's share of the rate comes back a period after its answer."""
    counts = parts if able.by_parts else 1.0
    gateway = Gateway(0, settings)
    slots = [Slot(gateway, number) for number in range(1, usable(settings) + 1)]
    paced = sum(slot.tokens / (slot.period + answer) for slot in slots) / counts
    keeps = answer + able.holds
    in_flight = len(slots) * able.window / keeps / counts if keeps else paced
    return GatewayCapacity(
        name=settings.name,
        rate=settings.rate,
        slots=len(slots),
        window=able.window,
        by_parts=able.by_parts,
        per_second=min(paced, in_flight),
        limit=Limit.RATE if paced <= in_flight else Limit.WINDOW,
    )
