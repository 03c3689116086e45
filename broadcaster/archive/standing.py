"""Whether an alert may leave the ledger, and if not, everything that keeps it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from broadcaster.alerts.state import State
from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.sql import statements

SQL = statements("broadcaster.archive", "archive.sql")


class Reason(StrEnum):
    """Why an alert stays."""

    NEVER_ISSUED = "never_issued"
    IN_FORCE = "in_force"
    LINEAGE_OPEN = "lineage_open"
    TOO_YOUNG = "too_young"
    SENDING = "sending"
    UNIT_WAITING = "unit_waiting"
    DOOR_OPEN = "door_open"
    HELP_OPEN = "help_open"
    REPLY_UNSETTLED = "reply_unsettled"
    UNFOLDED = "unfolded"
    UNBALANCED = "unbalanced"
    ARCHIVED = "archived"


CHINESE = {
    Reason.NEVER_ISSUED: "从未发布，没有可归档的内容",
    Reason.IN_FORCE: "仍在生效",
    Reason.LINEAGE_OPEN: "同一事件还有生效中的预警",
    Reason.TOO_YOUNG: "结束的时间还不够久",
    Reason.SENDING: "还有没有结清的发送批次",
    Reason.UNIT_WAITING: "还有等待确认的责任单元",
    Reason.DOOR_OPEN: "还有没有完成的入户任务",
    Reason.HELP_OPEN: "还有没有处理的求助",
    Reason.REPLY_UNSETTLED: "还有没有处理的回复",
    Reason.UNFOLDED: "还有没有入账的回执",
    Reason.UNBALANCED: "计数与明细不符（请运行 daohu status 核对）",
    Reason.ARCHIVED: "早已归档",
}


@dataclass(frozen=True, slots=True)
class Ripe:
    """It may be archived."""


@dataclass(frozen=True, slots=True)
class Begun:
    """It is sealed already; what is left is to empty its tables."""


@dataclass(frozen=True, slots=True)
class Kept:
    """It stays, because of all `reasons`."""

    reasons: tuple[Reason, ...]


Standing: TypeAlias = Ripe | Begun | Kept


async def standing(connection: Connection, alert_id: int, closed_before: datetime) -> Standing:
    """Where an alert stands whose lineage must have been closed before `closed_before`; `NotFoundError` without one."""
    row = await connection.fetchrow(SQL["standing"], alert_id)
    if row is None:
        raise NotFoundError(f"没有编号为 {alert_id} 的预警。", remedy="请用 daohu status 列出，或检查编号。")
    if row["archived"] == "emptied":
        return Kept((Reason.ARCHIVED,))
    if row["archived"] == "sealed":
        return Begun()
    if not row["issued"]:
        return Kept((Reason.NEVER_ISSUED,))
    found = {
        Reason.IN_FORCE: row["alert_state"] != State.ENDED,
        Reason.LINEAGE_OPEN: row["lineage_open"],
        Reason.TOO_YOUNG: row["closed_at"] is None or row["closed_at"] >= closed_before,
        Reason.SENDING: row["sending"],
        Reason.UNIT_WAITING: row["unit_waiting"],
        Reason.DOOR_OPEN: row["door_open"],
        Reason.HELP_OPEN: row["help_open"],
        Reason.REPLY_UNSETTLED: row["reply_unsettled"],
        Reason.UNFOLDED: await connection.fetchval(SQL["unfolded"], alert_id),
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    return Kept(reasons) if reasons else Ripe()
