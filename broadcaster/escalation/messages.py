"""Whom a step of the ladder writes to: one message per address, channel and unit, and no phone rings twice at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from broadcaster.dispatch.units import UnitDelivery
from broadcaster.escalation.ladder import Climb, DueUnit, Rung
from broadcaster.ports import Medium

ByRung = dict[int, dict[int, list[UnitDelivery]]]
"""Deliveries by unit, then by the number of the step that sends them."""

Called = tuple[int, int]
"""Alert and contact: a phone that rings for the alert, or on which it was heard out."""


def messages(climbs: Sequence[Climb], called: Collection[Called] = frozenset()) -> ByRung:
    """Every unit's messages; but nobody's phone rings for two units of one alert at the same moment, nor again for who
    is `called`."""
    ringing: set[tuple[int, str]] = set()
    found: ByRung = defaultdict(lambda: defaultdict(list))
    for one in climbs:
        for rung in one.rungs:
            for item in _of_rung(one.unit, rung):
                call = (one.unit.alert_id, item.address)
                if item.channel is Medium.VOICE:
                    if call in ringing or (rung.again and (one.unit.alert_id, item.contact_id) in called):
                        continue
                    ringing.add(call)
                found[one.unit.id][rung.number].append(item)
    return found


def _of_rung(unit: DueUnit, rung: Rung) -> list[UnitDelivery]:
    """One message per address and channel, though two of the people may share it."""
    items: dict[tuple[Medium, str], UnitDelivery] = {}
    for holder in rung.asked:
        for channel, contact in holder.ways(rung.channels):
            item = UnitDelivery(unit.id, unit.region, channel, contact.id, contact.address, holder.language)
            items.setdefault((channel, contact.address), item)
    return list(items.values())
