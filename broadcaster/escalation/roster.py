"""Who can be asked right now: the people on duty in some regions and above them, and how each is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiences import phone
from audiences.duties import superior
from audiences.records import Rank
from broadcaster.database import Connection
from broadcaster.dispatch.plan import CONTACT_MEDIUM
from broadcaster.escalation.units import SQL
from broadcaster.ports import Medium

OTHERWISE = (Medium.SMS, Medium.WECHAT, Medium.VOICE, Medium.EMAIL)
"""What is tried for somebody who has none of a step's channels: the first of these that works."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One address of a person; `medium` is phone, wechat or email."""

    id: int
    medium: str
    address: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A person on duty who has at least one contact; several duties make several holders."""

    duty_id: int
    person_id: int
    rank: str
    language: str
    contacts: tuple[Contact, ...]

    def ways(self, channels: Sequence[Medium]) -> list[tuple[Medium, Contact]]:
        """Every address on each of `channels`; for somebody without any, those of the first channel that works."""
        found = [(channel, contact) for channel in channels for contact in self._on(channel)]
        for channel in OTHERWISE:
            if found:
                break
            found = [(channel, contact) for contact in self._on(channel)]
        return found

    def _on(self, channel: Medium) -> list[Contact]:
        medium = CONTACT_MEDIUM.get(channel)
        return [
            contact
            for contact in self.contacts
            if contact.medium == medium and (channel is not Medium.SMS or _takes_text(contact.address))
        ]


def _takes_text(number: str) -> bool:
    return phone.is_mobile(number) or number.startswith("+")


class Roster:
    """The people on duty at one moment, by region and role."""

    def __init__(self, holders: Mapping[tuple[str, str], Sequence[Holder]]) -> None:
        self._holders = holders

    def on_duty(self, region: str, role: str, rank: Rank | None = None) -> list[Holder]:
        """Who holds a duty and can be reached, the primary ones first."""
        return [one for one in self._holders.get((region, role), ()) if rank is None or one.rank == rank]

    def above(self, region: str) -> list[Holder]:
        """Who answers for the nearest region above that has anybody."""
        step = superior(region)
        while step is not None:
            if found := self.on_duty(*step):
                return found
            step = superior(step[0])
        return []


async def roster(connection: Connection, units: Iterable[tuple[str, str]], now: datetime) -> Roster:
    """Everybody whom units (region, role) may ask at `now`."""
    wanted: set[tuple[str, str]] = set()
    for region, role in set(units):
        wanted.add((region, role))
        step = superior(region)
        while step is not None:
            wanted.add((step[0], step[1].value))
            step = superior(step[0])
    duties = await connection.fetch(
        SQL["duties"], now, sorted({region for region, _ in wanted}), sorted({role for _, role in wanted})
    )
    contacts = await _contacts(connection, {record["person_id"] for record in duties})
    holders: dict[tuple[str, str], list[Holder]] = defaultdict(list)
    for record in duties:
        if known := contacts.get(record["person_id"]):
            holders[record["region"], record["role"]].append(
                Holder(record["duty_id"], record["person_id"], record["rank"], record["language"], known)
            )
    return Roster(holders)


async def _contacts(connection: Connection, people: set[int]) -> dict[int, tuple[Contact, ...]]:
    found: dict[int, list[tuple[int, Contact]]] = defaultdict(list)
    for record in await connection.fetch(SQL["contacts"], sorted(people)):
        contact = Contact(record["contact_id"], record["medium"], record["address"])
        found[record["person_id"]].append((record["priority"], contact))
    return {
        person: tuple(contact for _, contact in sorted(ranked, key=lambda pair: (pair[0], pair[1].id)))
        for person, ranked in found.items()
    }
