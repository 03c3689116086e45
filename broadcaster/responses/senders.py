"""Reading the situation of those who replied: who they may be, which units and homes are theirs, what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiences import phone
from audiences.duties import SUPERIORS
from audiences.records import ContactMedium
from broadcaster.database import Connection
from broadcaster.ports import Medium
from broadcaster.responses.inbox import SQL
from broadcaster.responses.matching import Candidate, Heard, Home, Situation, Standing
from broadcaster.responses.response import Response

CONTACT_MEDIUM: Mapping[str, ContactMedium] = {
    Medium.SMS: ContactMedium.PHONE,
    Medium.VOICE: ContactMedium.PHONE,
    Medium.WECHAT: ContactMedium.WECHAT,
    Medium.EMAIL: ContactMedium.EMAIL,
}
"""Among which contacts the sender of a channel's reply is looked up."""


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert that a reply may mean. `code` is "" when it has none; `inherited`: it was its predecessor's already."""

    alert_id: int
    rehearsal: bool
    code: str
    headline: str
    open: bool
    opened_at: datetime
    inherited: bool

    def heard(self, told_at: datetime | None) -> Heard:
        """From when on a reply of somebody to whom it was told at `told_at` (None: not yet) can be an answer."""
        return Heard(told_at, told_at if self.inherited else self.opened_at)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever may have replied: people and homes. `unit_id` is the unit whose message was answered, where known."""

    person_ids: tuple[int, ...] = ()
    household_ids: tuple[int, ...] = ()
    unit_id: int | None = None


async def known_alerts(connection: Connection, now: datetime) -> dict[int, KnownAlert]:
    """The open alerts, and those that were closed in the last two days, by id."""
    return {record["alert_id"]: KnownAlert(**record) for record in await connection.fetch(SQL["alerts"], now)}


async def senders(connection: Connection, responses: Sequence[Response]) -> list[Sender]:
    """One sender per response, in order: the addressee of the message that was answered, or whoever has the address."""
    addressees = await _addressees(connection, responses)
    by_address = await _at_addresses(connection, responses)
    found: list[Sender] = []
    for place, response in enumerate(responses):
        sender = by_address[place]
        if response.alert_id is not None and response.delivery is not None:
            sender = addressees.get((response.alert_id, response.delivery), sender)
        found.append(sender)
    return found


async def _addressees(connection: Connection, responses: Sequence[Response]) -> dict[tuple[int, int], Sender]:
    answered = [one for one in responses if one.alert_id is not None and one.delivery is not None]
    if not answered:
        return {}
    records = await connection.fetch(
        SQL["addressees"], [one.alert_id for one in answered], [one.delivery for one in answered]
    )
    return {
        (record["alert_id"], record["ordinal"]): Sender(
            _one(record["person_id"]), _one(record["household_id"]), record["unit_id"]
        )
        for record in records
    }


def _one(value: int | None) -> tuple[int, ...]:
    return () if value is None else (value,)


async def _at_addresses(connection: Connection, responses: Sequence[Response]) -> list[Sender]:
    media = [CONTACT_MEDIUM[one.channel].value if one.channel in CONTACT_MEDIUM else "" for one in responses]
    people: dict[int, dict[int, None]] = defaultdict(dict)
    homes: dict[int, dict[int, None]] = defaultdict(dict)
    records = await connection.fetch(
        SQL["senders"],
        media,
        [one.address for one in responses],
        [contact_address(one.channel, one.address) for one in responses],
    )
    for record in records:
        place = record["place"] - 1
        if record["person_id"] is not None:
            people[place][record["person_id"]] = None
        if record["household_id"] is not None:
            homes[place][record["household_id"]] = None
    return [Sender(tuple(people[place]), tuple(homes[place])) for place in range(len(responses))]


def contact_address(channel: str, address: str) -> str:
    """A gateway's notation of an address in the form that contacts are stored in; itself when it has none."""
    plain = address.strip()
    kind = CONTACT_MEDIUM.get(channel)
    if kind is ContactMedium.PHONE:
        try:
            return phone.normalise(plain)
        except phone.PhoneError:
            return plain
    if kind is ContactMedium.EMAIL:
        local, at, domain = plain.rpartition("@")
        return f"{local}{at}{domain.lower()}"
    return plain.lower() if plain.startswith("wecom:") else plain


async def situations(
    connection: Connection,
    asked: Sequence[tuple[Sender, bool | None]],
    alerts: Mapping[int, KnownAlert],
    now: datetime,
) -> list[Situation]:
    """The situation of each sender; beside each, whether only drills (True) or only real alerts (False) count."""
    persons = {person for sender, _ in asked for person in sender.person_ids}
    households = {home for sender, _ in asked for home in sender.household_ids}
    candidates = await _candidates(connection, persons, alerts, now)
    homes = await _homes(connection, households, alerts)
    return [_situation(sender, rehearsal, alerts, candidates, homes) for sender, rehearsal in asked]


def _situation(
    sender: Sender,
    rehearsal: bool | None,
    alerts: Mapping[int, KnownAlert],
    candidates: Mapping[int, list[Candidate]],
    homes: Mapping[int, list[Home]],
) -> Situation:
    meant = {key for key, alert in alerts.items() if rehearsal is None or alert.rehearsal == rehearsal}
    return Situation(
        known=bool(sender.person_ids or sender.household_ids),
        household_ids=sender.household_ids,
        candidates=tuple(one for key in sender.person_ids for one in candidates.get(key, ()) if one.alert_id in meant),
        homes=tuple(home for key in sender.household_ids for home in homes.get(key, ()) if home.alert_id in meant),
        codes=frozenset(alerts[key].code for key in meant if alerts[key].open),
    )


async def _candidates(
    connection: Connection, persons: Iterable[int], alerts: Mapping[int, KnownAlert], now: datetime
) -> dict[int, list[Candidate]]:
    people = sorted(persons)
    found: dict[int, list[Candidate]] = defaultdict(list)
    if not people or not alerts:
        return found
    open_alerts = [alert.alert_id for alert in alerts.values() if alert.open]
    records = await connection.fetch(
        SQL["standings"],
        now,
        people,
        list(alerts),
        open_alerts,
        [level.code_length for level in SUPERIORS],
        [role.value for role in SUPERIORS.values()],
    )
    told = await _told(connection, open_alerts, people)
    for record in records:
        alert = alerts[record["alert_id"]]
        found[record["person_id"]].append(
            Candidate(
                unit_id=record["unit_id"],
                alert_id=alert.alert_id,
                code=alert.code,
                open=alert.open,
                waiting=record["waiting"],
                standing=Standing(record["standing"]),
                person_id=record["person_id"],
                heard=told.heard(alert, Standing(record["standing"]), record["person_id"], record["unit_id"]),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    """When people were told of units, by (person, alert); None for what waits."""

    units: Mapping[tuple[int, int], Mapping[int, datetime | None]]

    def heard(self, alert: KnownAlert, standing: Standing, person_id: int, unit_id: int) -> Heard:
        """A holder whom nothing was sent to may have it from anybody since the alert was issued; who was only asked
        knows of the units whose messages have left."""
        told = self.units.get((person_id, alert.alert_id), {})
        if standing is Standing.ASKED:
            return Heard(told.get(unit_id), told.get(unit_id))
        if not told:
            return Heard(alert.opened_at, alert.opened_at)
        moments = [moment for moment in told.values() if moment is not None]
        return alert.heard(told.get(unit_id) or min(moments, default=None))


async def _told(connection: Connection, alerts: Sequence[int], people: Sequence[int]) -> _Told:
    units: dict[tuple[int, int], dict[int, datetime | None]] = defaultdict(dict)
    for record in await connection.fetch(SQL["told"], list(alerts), list(people)):
        units[record["person_id"], record["alert_id"]][record["unit_id"]] = record["told_at"]
    return _Told(units)


async def _homes(
    connection: Connection, households: Iterable[int], alerts: Mapping[int, KnownAlert]
) -> dict[int, list[Home]]:
    keys = sorted(households)
    open_alerts = [alert.alert_id for alert in alerts.values() if alert.open]
    found: dict[int, list[Home]] = defaultdict(list)
    if keys and open_alerts:
        for record in await connection.fetch(SQL["homes"], open_alerts, keys):
            alert = alerts[record["alert_id"]]
            told_at = record["told_at"] if record["addressed"] else alert.opened_at
            home = Home(record["household_id"], alert.alert_id, alert.code, alert.heard(told_at))
            found[home.household_id].append(home)
    return found
