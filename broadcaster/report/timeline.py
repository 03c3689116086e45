"""The timeline of an alert: what people did, what escalation did, when help was asked for, what was stopped while it
sounded, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.report.sql import SQL


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind` audit | escalation | help | run | recall | silent; `what` its code; `n` how often at about that time;
    `who` an account.

    Of a recall `n` broadcasts and calls were stopped by the gateway `who`; of `what` silent loudspeakers `n` homes were
    told by other means.
    """

    at: datetime
    kind: str
    what: str
    n: int
    who: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """One step of the ladder: how many units took it, how many people it asked, when first and last."""

    step: int
    action: str
    units: int
    asked: int
    first_at: datetime
    last_at: datetime


async def timeline(connection: Connection, alert_id: int, scopes: Sequence[str], most: int) -> list[Happening]:
    """The latest `most` things that happened, the latest first; calls for help only from inside `scopes`."""
    return [Happening(**dict(row)) for row in await connection.fetch(SQL["events"], alert_id, list(scopes), most)]


async def escalations(connection: Connection, alert_id: int) -> list[Escalated]:
    """What was done about silence, step by step."""
    return [Escalated(**dict(row)) for row in await connection.fetch(SQL["escalations"], alert_id)]
