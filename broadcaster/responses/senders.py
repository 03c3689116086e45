"""Reading the situation of those who replied: who they may be, which units and homes are theirs, what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiences.duties import SUPERIORS
from broadcaster.database import Connection
from broadcaster.responses.inbox import CONTACT_MEDIUM, SQL
from broadcaster.responses.matching import Candidate, Home, Situation, Standing
from broadcaster.responses.response import Response


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert that a reply may mean."""

    alert_id: int
    rehearsal: bool
    reply_code: str | None
    headline: str
    open: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever may have replied: people and homes at one address."""

    person_ids: tuple[int, ...] = ()
    household_ids: tuple[int, ...] = ()


async def known_alerts(connection: Connection, now: datetime) -> list[KnownAlert]:
    """The open alerts, and those that were closed in the last two days."""
    return [KnownAlert(**record) for record in await connection.fetch(SQL["alerts"], now)]


async def senders(connection: Connection, responses: Sequence[Response]) -> list[Sender]:
    """One sender per response, in order; an empty one for an address that nobody registered."""
    media = [CONTACT_MEDIUM[one.medium].value if one.medium in CONTACT_MEDIUM else "" for one in responses]
    people: dict[int, dict[int, None]] = defaultdict(dict)
    homes: dict[int, dict[int, None]] = defaultdict(dict)
    for record in await connection.fetch(SQL["senders"], media, [one.address for one in responses]):
        place = record["place"] - 1
        if record["person_id"] is not None:
            people[place][record["person_id"]] = None
        if record["household_id"] is not None:
            homes[place][record["household_id"]] = None
    return [Sender(tuple(people[place]), tuple(homes[place])) for place in range(len(responses))]


async def situations(
    connection: Connection,
    asked: Sequence[tuple[Sender, bool | None]],
    alerts: Sequence[KnownAlert],
    now: datetime,
) -> list[Situation]:
    """The situation of each sender; beside each, whether only drills (True) or only real alerts (False) can be meant."""
    persons = {person for sender, _ in asked for person in sender.person_ids}
    households = {home for sender, _ in asked for home in sender.household_ids}
    by_id = {alert.alert_id: alert for alert in alerts}
    candidates = await _candidates(connection, persons, by_id, now)
    homes = await _homes(connection, households, by_id)
    return [_situation(sender, rehearsal, by_id, candidates, homes) for sender, rehearsal in asked]


def _situation(
    sender: Sender,
    rehearsal: bool | None,
    alerts: dict[int, KnownAlert],
    candidates: dict[int, list[Candidate]],
    homes: dict[int, list[Home]],
) -> Situation:
    def meant(alert_id: int) -> bool:
        return rehearsal is None or alerts[alert_id].rehearsal == rehearsal

    return Situation(
        known=bool(sender.person_ids or sender.household_ids),
        household_ids=sender.household_ids,
        candidates=tuple(one for key in sender.person_ids for one in candidates.get(key, ()) if meant(one.alert_id)),
        homes=tuple(home for key in sender.household_ids for home in homes.get(key, ()) if meant(home.alert_id)),
        codes=frozenset(
            alert.reply_code for alert in alerts.values() if alert.open and alert.reply_code and meant(alert.alert_id)
        ),
    )


async def _candidates(
    connection: Connection, persons: Iterable[int], alerts: dict[int, KnownAlert], now: datetime
) -> dict[int, list[Candidate]]:
    people = sorted(persons)
    found: dict[int, list[Candidate]] = defaultdict(list)
    if not people or not alerts:
        return found
    records = await connection.fetch(
        SQL["standings"],
        now,
        people,
        list(alerts),
        [alert.alert_id for alert in alerts.values() if alert.open],
        [level.code_length for level in SUPERIORS],
        [role.value for role in SUPERIORS.values()],
    )
    for record in records:
        alert = alerts[record["alert_id"]]
        found[record["person_id"]].append(
            Candidate(
                record["unit_id"],
                alert.alert_id,
                alert.reply_code,
                alert.open,
                record["waiting"],
                Standing(record["standing"]),
                record["person_id"],
            )
        )
    return found


async def _homes(
    connection: Connection, households: Iterable[int], alerts: dict[int, KnownAlert]
) -> dict[int, list[Home]]:
    keys = sorted(households)
    open_alerts = [alert.alert_id for alert in alerts.values() if alert.open]
    found: dict[int, list[Home]] = defaultdict(list)
    if keys and open_alerts:
        for record in await connection.fetch(SQL["homes"], open_alerts, keys):
            code = alerts[record["alert_id"]].reply_code
            found[record["household_id"]].append(Home(record["household_id"], record["alert_id"], code))
    return found
