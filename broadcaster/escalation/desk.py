"""The duty desk: what it heard by telephone, and the calls for help that it has seen to."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from broadcaster.database import Connection
from broadcaster.dispatch.delivery import RunState
from broadcaster.dispatch.ledger import lock_states
from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.escalation.confirmation import Confirmation, confirm
from broadcaster.escalation.units import SQL

DESK = "desk"
"""How a confirmation came that the duty desk wrote down."""


async def unit_region(connection: Connection, alert_id: int, unit_id: int) -> str:
    """The code of the region of a unit; `NotFoundError` when it is none of this alert's."""
    region: str = (await _unit(connection, alert_id, unit_id))["region"]
    return region


async def confirm_unit(
    connection: Connection, alert_id: int, unit_id: int, now: datetime, *, written_by: str, moved: int | None = None
) -> None:
    """Settle a unit as a reply would, on the word of the account `written_by`. Runs in the caller's transaction.

    `NotFoundError` when the unit is none of this alert's, `RuleError` when the alert is over, `ConflictError` when the
    unit was confirmed before.
    """
    await lock_states(connection)  # whoever closes the run holds this: what is read below stays true
    unit = await _unit(connection, alert_id, unit_id)
    _require_open(unit["run_state"], expired=unit["expires_at"] <= now)
    said = Confirmation(unit_id, DESK, moved=moved, written_by=written_by)
    confirmed = await confirm(connection, [said], now)
    if unit_id in confirmed.unit_ids:
        return
    if confirmed.before.get(unit_id) == "acknowledged":
        raise ConflictError("这个责任单元此前已经确认，没有重复记录。", remedy="请刷新，查看是谁在何时确认的。")
    raise RuleError("这个责任单元已不需要确认。", remedy="请刷新，以最新的预警为准。")


async def _unit(connection: Connection, alert_id: int, unit_id: int) -> asyncpg.Record:
    row = await connection.fetchrow(SQL["desk_unit"], alert_id, unit_id)
    if row is None:
        raise NotFoundError(
            "预警 %(alert_id)s 没有编号为 %(unit_id)s 的责任单元。",
            remedy="请从该预警的单元列表中选择。",
            alert_id=alert_id,
            unit_id=unit_id,
        )
    return row


def _require_open(state: int, *, expired: bool) -> None:
    if state == RunState.SUPERSEDED:
        raise RuleError("这条预警已有更新，这次确认没有记录。", remedy="请在最新的预警中确认。")
    if state != RunState.OPEN or expired:
        raise RuleError("这条预警已经结束，这次确认没有记录。", remedy="请以最新的预警为准。")


async def help_alert(connection: Connection, help_id: int, scopes: tuple[str, ...]) -> int | None:
    """The alert under which a call for help came, if any; `NotFoundError` when it lies outside the regions `scopes`.

    Whose region nobody knows is everybody's business.
    """
    row = await connection.fetchrow(SQL["help_request"], help_id)
    if row is None or (row["region"] and not row["region"].startswith(scopes)):
        raise NotFoundError("没有编号为 %(help_id)s 的求助。", remedy="请从求助列表中选择。", help_id=help_id)
    alert_id: int | None = row["alert_id"]
    return alert_id


async def close_help(connection: Connection, help_id: int, now: datetime, *, closed_by: str) -> None:
    """Close a call for help and its notice; `ConflictError` when that was done before. A new cry opens a new one."""
    if await connection.fetchval(SQL["close_help"], help_id, now, closed_by) is None:
        raise ConflictError("这条求助此前已经办结。", remedy="请刷新，查看最新的求助。")
