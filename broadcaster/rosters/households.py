"""One home as its page shows it, for who may see it; showing names and numbers is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audiences import browse
from broadcaster.database import Connection, Database
from broadcaster.dispatch.delivery import DeliveryState, TargetState
from broadcaster.errors import NotFoundError
from broadcaster.rosters.sql import SQL
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, may, require

ALERTS = 10  # of the past that are told
PAST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Household:
    """The home itself."""

    id: int
    external_id: str
    region_code: str
    name: str
    address: str
    lon: float | None
    lat: float | None
    tags: Sequence[str]
    risk: int
    size: int
    active: bool


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who lives there."""

    id: int
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach the home; `person`: whose it is, "" for the home's own."""

    id: int
    medium: str
    address: str
    priority: int
    active: bool
    person: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery to the home."""

    channel: str
    state: str
    address: str
    at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """One alert, and what became of it here: pending, reached or unreached."""

    alert_id: int
    headline: str
    status: str
    opened_at: datetime
    state: str
    reached_by: str
    reached_at: datetime | None
    sent: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything about a home."""

    household: Household
    path: list[tuple[str, str]]
    members: list[Member]
    contacts: list[Contact]
    alerts: list[Told]


async def sheet(database: Database, actor: Actor, household_id: int, now: datetime) -> Sheet:
    """The home; `NotFoundError` also where it lies in no region whose homes the actor may see."""
    async with database.connection() as connection:
        household = await seen(connection, actor, household_id)
        members = await connection.fetch(SQL["members"], household_id)
        contacts = await connection.fetch(SQL["household_contacts"], household_id)
        return Sheet(
            household,
            await browse.path(connection, household.region_code),
            [Member(**row) for row in members],
            [Contact(**row) for row in contacts],
            await _alerts(connection, household_id, now),
        )


async def seen(connection: Connection, actor: Actor, household_id: int) -> Household:
    """The home alone; `NotFoundError` as of `sheet`."""
    row = await connection.fetchrow(SQL["household"], household_id)
    if row is None or not may(actor, Action.SEE_AUDIENCE, [row["region_code"]]):
        raise NotFoundError(
            "没有编号为 %(household_id)s 的住户。", remedy="请从列表中重新选择。", household_id=household_id
        )
    return Household(**row)


async def reveal(database: Database, actor: Actor, household_id: int, now: datetime) -> None:
    """Note that the actor was shown the names and numbers of a home; raises unless that is allowed there."""
    async with database.transaction() as connection:
        household = await seen(connection, actor, household_id)
        require(actor, Action.SEE_HOUSEHOLDS, [household.region_code])
        await audit.append(connection, actor.account_id, "household.reveal", now, subject=f"household {household_id}")


async def _alerts(connection: Connection, household_id: int, now: datetime) -> list[Told]:
    told = await connection.fetch(SQL["household_alerts"], household_id, ALERTS, now - PAST)
    deliveries = await connection.fetch(
        SQL["household_deliveries"],
        household_id,
        [row["alert_id"] for row in told],
        [row["village"] for row in told],
    )
    return [
        Told(
            row["alert_id"],
            row["headline"] or row["identifier"],
            row["status"],
            row["opened_at"],
            TargetState(row["state"]).name.lower(),
            row["reached_by"],
            row["reached_at"],
            tuple(
                Sent(
                    one["channel"],
                    DeliveryState(one["state"]).word,
                    one["address"],
                    one["settled_at"] or one["submitted_at"],
                    one["reason"],
                )
                for one in deliveries
                if one["alert_id"] == row["alert_id"]
            ),
        )
        for row in told
    ]
