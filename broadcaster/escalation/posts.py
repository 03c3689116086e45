"""Posts: the responsible person behind a link, and whether they may still act for their unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audiences.duties import competent
from audiences.records import Role
from broadcaster.database import Connection
from broadcaster.errors import ForbiddenError, RuleError
from broadcaster.sql import statements

SQL = statements("broadcaster.escalation", "field.sql")


@dataclass(frozen=True, slots=True)
class Post:
    """A unit, and whoever was asked about it by the message of a link.

    `person_id` None: the roster does not know them any more. `on_duty`: they hold the unit's duty now, or the one
    above. `open`: the alert still asks.
    """

    alert_id: int
    ordinal: int
    unit_id: int
    region: str
    role: str
    unit_state: str
    place: str
    person_id: int | None
    expires_at: datetime | None
    open: bool
    on_duty: bool

    def name(self, key: str) -> str:
        """The name of one tap of theirs: the same tap sent again has the same, nobody else's has it."""
        return f"{self.alert_id}-{self.ordinal}-{key}"

    def require(self) -> int:
        """Their person's id; `RuleError` when the alert is over, `ForbiddenError` when they are not on duty."""
        if not self.open:
            raise RuleError("这条消息已经结束或已有更新，没有记录。", remedy="请以最新收到的消息为准。")
        return self.require_duty()

    def require_duty(self) -> int:
        """Their person's id; `ForbiddenError` when they are not on duty."""
        if self.person_id is None or not self.on_duty:
            raise ForbiddenError("您目前不在岗，没有记录。", remedy="请由在岗的责任人上报，或致电值班室。")
        return self.person_id


async def post(connection: Connection, alert_id: int, ordinal: int, now: datetime) -> Post | None:
    """The post behind a delivery; None when that went to a household."""
    row = await connection.fetchrow(SQL["post"], alert_id, ordinal, now)
    if row is None:
        return None
    person_id, on_duty = row["person_id"], False
    if person_id is not None:
        on_duty = await competent(connection, person_id, row["region"], Role(row["role"]), now)
    return Post(**row, on_duty=on_duty)
