"""Pausing a gateway by hand: couriers send nothing more through it until somebody resumes it, what they claimed goes to
others, and its connections stand.
"""

from __future__ import annotations

from datetime import datetime

from broadcaster.database import Connection, Database
from broadcaster.dispatch.slots import register
from broadcaster.ports import GatewaySettings
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require

LONGEST_NOTE = 200
"""Characters."""


async def paused_gateways(connection: Connection) -> frozenset[int]:
    """The ids of the gateways that are paused."""
    return frozenset(row["id"] for row in await connection.fetch("SELECT id FROM gateway WHERE paused_at IS NOT NULL"))


async def paused_names(connection: Connection) -> frozenset[str]:
    """Their names."""
    rows = await connection.fetch("SELECT name FROM gateway WHERE paused_at IS NOT NULL")
    return frozenset(row["name"] for row in rows)


async def pause(
    database: Database, actor: Actor, district: str, gateway: GatewaySettings, note: str, now: datetime
) -> None:
    """Pause a gateway; one that is paused stays as it was."""
    await _set(
        database,
        actor,
        district,
        gateway,
        """
        UPDATE gateway SET paused_at = $2, paused_by = $3, pause_note = $4 WHERE id = $1 AND paused_at IS NULL
        RETURNING id
        """,
        (now, actor.account_id, note[:LONGEST_NOTE]),
        "gateway.pause",
        now,
    )


async def resume(database: Database, actor: Actor, district: str, gateway: GatewaySettings, now: datetime) -> None:
    """Use a gateway again; one that is not paused stays as it was."""
    await _set(
        database,
        actor,
        district,
        gateway,
        """
        UPDATE gateway SET paused_at = NULL, paused_by = NULL, pause_note = ''
        WHERE id = $1 AND paused_at IS NOT NULL RETURNING id
        """,
        (),
        "gateway.resume",
        now,
    )


async def _set(
    database: Database,
    actor: Actor,
    district: str,
    gateway: GatewaySettings,
    statement: str,
    values: tuple[object, ...],
    action: str,
    now: datetime,
) -> None:
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    async with database.transaction() as connection:
        registered = await register(connection, gateway)
        if await connection.fetchval(statement, registered.id, *values) is not None:
            await audit.append(connection, actor.account_id, action, now, subject=f"gateway:{gateway.name}")
