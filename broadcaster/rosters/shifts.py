"""Shifts: somebody is on duty for a time, in another's place or where nobody is.

A substitute answers beside the one who is away, not instead: whoever of the two confirms settles the unit, and a leave
that was entered wrongly silences nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audiences.duties import fits
from audiences.records import Rank, Role
from broadcaster.database import Connection, Database
from broadcaster.errors import InputError, NotFoundError, RuleError
from broadcaster.rosters.sql import SQL
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, may, require

LONGEST = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody's duty, standing or a shift."""

    id: int
    person_id: int
    name: str
    region_code: str
    region_name: str
    role: str
    rank: str
    valid_from: datetime
    valid_to: datetime | None
    shift: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be asked to stand in, with the duty that makes them known."""

    id: int
    name: str
    region_code: str
    region_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Shift:
    """`person_id` answers as `role` for the region from `begins` to `ends`, for the duty `instead_of` if any."""

    person_id: int
    region_code: str
    role: Role
    begins: datetime
    ends: datetime
    instead_of: int | None = None


async def duty(connection: Connection, actor: Actor, duty_id: int) -> Duty:
    """The duty; `NotFoundError` also where it lies outside of what the actor may see."""
    row = await connection.fetchrow(SQL["duty"], duty_id)
    if row is None or not may(actor, Action.SEE_AUDIENCE, [row["region_code"]]):
        raise NotFoundError("没有编号为 %(duty_id)s 的值守。", remedy="请从值守表中重新选择。", duty_id=duty_id)
    return Duty(**row)


async def candidates(connection: Connection, region_code: str, role: Role, now: datetime) -> list[Candidate]:
    """Who could take `role` for the region, the nearest first."""
    rows = await connection.fetch(SQL["candidates"], region_code, role.value, now)
    return [Candidate(**row) for row in rows]


async def arrange(database: Database, actor: Actor, shift: Shift, now: datetime) -> int:
    """Enter a shift; its duty's id. Done twice the second is refused, as the person is on duty then already."""
    require(actor, Action.MANAGE_DUTIES, [shift.region_code])
    _check(shift, now)
    async with database.transaction() as connection:
        await connection.execute(SQL["lock_region"], shift.region_code)
        rank = Rank.PRIMARY.value
        if shift.instead_of is not None:
            held = await duty(connection, actor, shift.instead_of)
            if (held.region_code, held.role) != (shift.region_code, shift.role.value):
                raise InputError("被替的人不在这个岗位上。", remedy="请从值守表中重新选择。")
            rank = held.rank
        known = {one.id for one in await candidates(connection, shift.region_code, shift.role, now)}
        if shift.person_id not in known:
            raise InputError("请从名单中选择一个人。")
        span = (shift.person_id, shift.region_code, shift.role.value, shift.begins, shift.ends)
        if await connection.fetchval(SQL["overlapping"], *span):
            raise RuleError("这个人在该时段已经值守这个岗位。", remedy="请另选时间或另选一人。")
        number: int = await connection.fetchval(
            SQL["add_shift"], *span[:3], rank, shift.begins, shift.ends, shift.instead_of
        )
        detail = {"region": shift.region_code, "role": shift.role.value, "person": shift.person_id}
        await audit.append(connection, actor.account_id, "shift.arrange", now, subject=f"duty {number}", detail=detail)
        return number


async def end(database: Database, actor: Actor, duty_id: int, now: datetime) -> Duty:
    """Take a shift back: one that has begun ends now, one that has not is gone. What a roster says cannot be."""
    async with database.transaction() as connection:
        found = await duty(connection, actor, duty_id)
        require(actor, Action.MANAGE_DUTIES, [found.region_code])
        if not found.shift:
            raise RuleError("这是名册中的任职，不是临时排班。", remedy="请在责任人名册中修改后重新导入。")
        await connection.execute(SQL["remove_shift"], duty_id, now)
        await connection.execute(SQL["end_shift"], duty_id, now)
        await audit.append(connection, actor.account_id, "shift.end", now, subject=f"duty {duty_id}")
        return found


async def reveal(database: Database, actor: Actor, region_code: str, now: datetime) -> None:
    """Note that the actor was shown the telephone numbers of who is on duty in a region and just below it."""
    require(actor, Action.SEE_HOUSEHOLDS, [region_code])
    async with database.transaction() as connection:
        await audit.append(connection, actor.account_id, "duties.reveal", now, subject=f"region {region_code}")


def _check(shift: Shift, now: datetime) -> None:
    if not fits(shift.role, shift.region_code):
        raise InputError("这个岗位不属于这一级地区。", remedy="请从值守表中重新选择。")
    if shift.ends <= shift.begins:
        raise InputError("结束时间须晚于开始时间。")
    if shift.ends <= now:
        raise InputError("这段时间已经过去。")
    if shift.ends - shift.begins > LONGEST:
        raise InputError("一次排班最多 %(days)s 天。", remedy="长期任职请写入责任人名册。", days=LONGEST.days)
