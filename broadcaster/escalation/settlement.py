"""Settlement: a stored reply becomes a confirmation, a call for help, or a question for the duty desk.

Confirming a unit, cancelling what still waits to be sent to it and ending its escalation are one transaction. A
reply that
was stored but not settled (a crash in between) is found by the next sweep; one that is settled twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch import targets, units
from broadcaster.dispatch.ledger import lock_states
from broadcaster.ports import Medium
from broadcaster.responses.reply import Help, NotUnderstood, Understanding, understand
from broadcaster.sql import statements

log = structlog.get_logger()

SQL = statements("broadcaster.escalation", "settlement.sql")

CONTACT = {
    Medium.SMS.value: "phone",
    Medium.VOICE.value: "phone",
    Medium.WECHAT.value: "wechat",
    Medium.EMAIL.value: "email",
}

LINK = "link"
"""The channel of answers given on the reply page."""

BUNDLE = 200
"""Replies settled in one transaction."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The people and households that an address, or a link, stands for."""

    people: tuple[int, ...]
    households: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A unit that the sender may settle, or a household's place under an alert."""

    alert_id: int
    reply_code: str | None
    unit_id: int | None = None
    person_id: int | None = None
    household_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply came to: `intent` is acknowledge, help, none or ambiguous."""

    intent: str
    alert_id: int | None = None
    claims: tuple[Claim, ...] = ()
    moved: int | None = None


async def settle_stored(database: Database, now: datetime) -> int:
    """Settle a bundle of stored replies; returns how many there were."""
    async with database.connection() as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM response WHERE settled_at IS NULL)"):
            return 0
    async with database.transaction() as connection:
        await lock_states(connection)  # before any row: the fold takes them in the same order
        rows = await connection.fetch(SQL["unsettled"], BUNDLE)
        for row in rows:
            await _settle(connection, row, now)
        return len(rows)


async def _settle(connection: Connection, row: object, now: datetime) -> None:
    reply = StoredReply.of(row)
    sender = await _sender(connection, reply)
    claims = await _claims(connection, sender, now)
    if reply.alert_id is not None:  # a link names its alert
        claims = [claim for claim in claims if claim.alert_id == reply.alert_id]
    verdict = judge(reply.meaning, claims)
    person = next((claim.person_id for claim in verdict.claims if claim.person_id is not None), None)
    household = next((claim.household_id for claim in verdict.claims if claim.household_id is not None), None)
    confirmed = await _apply(connection, reply, verdict, person, now)
    if verdict.intent == "help":
        await connection.execute(
            SQL["ask_for_help"],
            verdict.alert_id,
            reply.id,
            household or next(iter(sender.households), None),
            person or next(iter(sender.people), None),
            reply.text,
            now,
        )
    await connection.execute(
        SQL["settled"], reply.id, now, verdict.intent, verdict.alert_id, person, household, confirmed
    )


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A row of `response` that waits to be settled."""

    id: int
    channel: str
    address: str
    text: str
    received_at: datetime
    alert_id: int | None
    person_id: int | None
    household_id: int | None

    @property
    def meaning(self) -> Understanding:
        """What it says; on the reply page a button says it, and what was written beside is a note."""
        said = self.text.partition(" ")[0] if self.channel == LINK else self.text
        return understand(said, keypad=self.channel == Medium.VOICE)

    @classmethod
    def of(cls, row: object) -> StoredReply:
        names = ("id", "channel", "address", "text", "received_at", "alert_id", "person_id", "household_id")
        return cls(*(row[name] for name in names))  # type: ignore[index]


async def _sender(connection: Connection, reply: StoredReply) -> Sender:
    if reply.person_id is not None or reply.household_id is not None:
        people = (reply.person_id,) if reply.person_id is not None else ()
        return Sender(people, (reply.household_id,) if reply.household_id is not None else ())
    rows = await connection.fetch(SQL["senders"], CONTACT.get(reply.channel, reply.channel), reply.address)
    return Sender(_distinct(row["person_id"] for row in rows), _distinct(row["household_id"] for row in rows))


def _distinct(values: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


async def _claims(connection: Connection, sender: Sender, now: datetime) -> list[Claim]:
    competent = await connection.fetch(SQL["competent_units"], list(sender.people), now)
    told = await connection.fetch(SQL["open_targets"], list(sender.households), now)
    return [
        *(
            Claim(row["alert_id"], row["reply_code"], unit_id=row["id"], person_id=row["person_id"])
            for row in competent
        ),
        *(Claim(row["alert_id"], row["reply_code"], household_id=row["household_id"]) for row in told),
    ]


def judge(meaning: Understanding, claims: Sequence[Claim]) -> Verdict:
    """Which alert a reply is about and what it settles. Several open alerts and no code settle nothing: a guess could
    confirm the wrong one. A call for help is raised all the same, for the latest."""
    if isinstance(meaning, NotUnderstood):
        return Verdict("none")
    if meaning.code:
        meant = [claim for claim in claims if claim.reply_code == meaning.code]
    else:
        meant = list(claims)
        told_to_confirm = {claim.alert_id for claim in claims if claim.unit_id is not None}
        if told_to_confirm:  # a duty holder's "1" answers the order, not what their household was told as well
            meant = [claim for claim in claims if claim.alert_id in told_to_confirm]
    alerts = sorted({claim.alert_id for claim in meant})
    if isinstance(meaning, Help):
        latest = alerts[-1] if alerts else max((claim.alert_id for claim in claims), default=None)
        return Verdict("help", latest, tuple(claim for claim in meant if claim.alert_id == latest))
    if len(alerts) != 1:
        return Verdict("ambiguous" if alerts or meaning.code else "none")
    return Verdict("acknowledge", alerts[0], tuple(meant), meaning.moved)


async def _apply(
    connection: Connection, reply: StoredReply, verdict: Verdict, person: int | None, now: datetime
) -> list[int]:
    """Confirm the units and count the households; returns the units that this reply settled."""
    confirmed: list[int] = []
    if verdict.alert_id is None:
        return confirmed
    asked = sorted({claim.unit_id for claim in verdict.claims if claim.unit_id is not None})
    if asked and verdict.intent == "acknowledge":
        await connection.execute(SQL["lock_units"], asked)
        for unit_id in asked:
            values = (unit_id, now, person, reply.channel, verdict.moved, reply.id)
            if await connection.fetchval(SQL["confirm"], *values) is not None:
                confirmed.append(unit_id)
        if confirmed:
            await units.withdraw(connection, verdict.alert_id, confirmed, now)
            await connection.execute(SQL["close_notices"], confirmed, now)
    for household in sorted({claim.household_id for claim in verdict.claims if claim.household_id is not None}):
        await targets.reach(connection, verdict.alert_id, household, "response", now)
    return confirmed
