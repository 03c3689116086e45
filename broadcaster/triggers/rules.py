"""Rules in the office's hands: read, saved, tried, put to work, and their alerts vetoed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from broadcaster.alerts.alert import Colour
from broadcaster.database import Connection, Database
from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject, Version
from broadcaster.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, may, require
from broadcaster.triggers.evaluator import RuleState
from broadcaster.triggers.looking import Why
from broadcaster.triggers.rule import NAME, Rule, read, stored
from broadcaster.triggers.sql import SQL

MODES = ("off", "shadow", "live")


@dataclass(frozen=True, slots=True)
class AtWork:
    """Which version of a rule runs, how, since when, and where it stands."""

    name: str
    version: int
    mode: str
    set_by: str
    set_at: datetime
    state: RuleState
    evaluated_at: datetime | None
    trouble: str


@dataclass(frozen=True, slots=True)
class Event:
    """One step that a rule took, with its reasons, `title` being the rule's; or, with `incoming_id`, what that message
    of the source `rule` led to by itself. `due_at`: when it goes out unless it is vetoed;
    `eased`: not as long as the level that led to it does not hold."""

    id: int
    rule: str
    title: str
    version: int
    mode: str
    step: str
    colour: Colour
    deed: str
    state: str
    regions: tuple[str, ...]
    said: tuple[Why, ...]
    fault: str
    alert_id: int | None
    due_at: datetime | None
    at: datetime
    incoming_id: int | None = None
    eased: bool = False


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A held alert does not go out by itself any more: by the veto of `who`, or ("") what asked for it has passed."""

    who: str
    at: datetime


async def at_work(connection: Connection) -> dict[str, AtWork]:
    """How every rule runs, by name; one that never ran is not there."""
    rows = await connection.fetch(SQL["standings"])
    return {row["name"]: AtWork(**{**row, "state": msgspec.json.decode(row["state"], type=RuleState)}) for row in rows}


async def save(
    database: Database,
    actor: Actor,
    district: str,
    name: str,
    text: str,
    *,
    issuing: Sequence[str],
    seen: int,
    note: str,
    now: datetime,
) -> int:
    """Keep a text as the newest version of a rule; what is at work goes on as it was. The version's number.

    `InputError` names everything that is wrong with it.
    """
    if not NAME.fullmatch(name):
        raise InputError("规则名应以小写字母开头，只含小写字母、数字和横线，至多 40 个字符。", remedy="请换一个名称。")
    read(text, district, issuing)
    return await versions.save(database, actor, district, Subject.RULE, name, text, seen=seen, note=note, now=now)


async def put_to_work(
    database: Database, actor: Actor, district: str, name: str, version: int, mode: str, now: datetime, *, own: bool
) -> None:
    """Run a version of a rule on trial (shadow), for real (live), or not at all (off).

    On trial and off is for whoever manages rules, or sets them. For real it takes the right to set them, over the
    district; and, unless `own`, somebody else than who wrote it: what the rule sends out is approved by this.
    """
    if mode not in MODES:
        raise InputError("没有这种运行方式。", remedy="请从页面上选择。")
    managing = may(actor, Action.MANAGE_RULES, (district,))
    if mode == "live" or not managing:
        require(actor, Action.SET_RULES, (district,))
    async with database.transaction() as connection:
        one = await versions.version(connection, Subject.RULE, name, version)
        if one.body is None:
            raise NotFoundError("这条规则已经删除。", remedy="请从规则列表中选择。")
        if mode == "live" and one.account == actor.name and not own:
            raise ForbiddenError("不能把自己写的规则投入使用。", remedy="请由另一位带班领导投入使用。")
        await connection.execute(SQL["set_rule"], name, version, mode, actor.account_id, now)
        if mode != "live":  # what is held goes out by a rule at work alone
            await connection.execute(SQL["end_events"], name, now)
        detail = {"version": version, "mode": mode}
        await audit.append(
            connection, actor.account_id, Action.SET_RULES.value, now, subject=f"rule:{name}", detail=detail
        )


async def veto(database: Database, actor: Actor, number: int, now: datetime) -> int | None:
    """Keep a held alert from going out; its id. It stays a draft."""
    return await _close(database, actor, number, now, "vetoed", ("held",), Action.VETO_RULES.value)


async def note(database: Database, actor: Actor, number: int, now: datetime) -> int | None:
    """Take note of what a rule told, wrote or could not do."""
    return await _close(database, actor, number, now, "seen", ("open", "failed"), "rules.see")


async def _close(
    database: Database, actor: Actor, number: int, now: datetime, state: str, before: tuple[str, ...], action: str
) -> int | None:
    async with database.transaction() as connection:
        one = await event(connection, number)
        if not any(may(actor, Action.SEE_STATIONS, (region,)) for region in one.regions):
            raise _unknown(number)
        require(actor, Action.VETO_RULES, one.regions)
        row = await connection.fetchrow(SQL["close_event"], number, state, list(before), actor.account_id, now)
        if row is None:
            raise ConflictError("它已经处理过，或已经发出。", remedy="请刷新，查看现在的情况；已发出的预警请发解除。")
        await audit.append(
            connection,
            actor.account_id,
            action,
            now,
            alert_id=row["alert_id"],
            subject=f"{'rule' if row['incoming_id'] is None else 'source'}:{row['rule']}",
            detail={"event": number},
        )
        alert_id: int | None = row["alert_id"]
        return alert_id


async def event(connection: Connection, number: int) -> Event:
    """One of them; `NotFoundError` where there is none."""
    row = await connection.fetchrow(SQL["event"], number)
    if row is None:
        raise _unknown(number)
    return _event(row)


def _unknown(number: int) -> NotFoundError:
    return NotFoundError("没有编号为 %(number)s 的规则事件。", remedy="请从列表中选择。", number=number)


async def open_events(connection: Connection, scopes: Sequence[str], most: int = 20) -> list[Event]:
    """What somebody in these regions must see to: what is held first."""
    return [_event(row) for row in await connection.fetch(SQL["open_events"], list(scopes), most)]


async def called_off(connection: Connection, alert_id: int) -> CalledOff | None:
    """That the alert was to go out by itself, and does not; None while it is held, and where it never was."""
    row = await connection.fetchrow(SQL["called_off"], alert_id)
    return CalledOff(**row) if row else None


async def events(connection: Connection, name: str, most: int = 50) -> list[Event]:
    """The steps of a rule, the latest first."""
    return [_event(row) for row in await connection.fetch(SQL["events"], name, most)]


async def of_message(connection: Connection, incoming: int) -> list[Event]:
    """What a message of a source led to by itself, the latest first."""
    return [_event(row) for row in await connection.fetch(SQL["of_message"], incoming)]


async def written(
    connection: Connection, name: str, district: str, issuing: Sequence[str], number: int = 0
) -> tuple[Version, Rule]:
    """A version of a rule (0: the newest), read; `NotFoundError` where there is none."""
    history = await versions.history(connection, Subject.RULE, name)
    one = next((version for version in history if number in (0, version.version)), None)
    if one is None or one.body is None:
        raise NotFoundError("没有名为 %(name)s 的规则。", remedy="请从规则列表中选择。", name=name)
    return one, read(one.body, district, issuing)


def _event(row: Any) -> Event:
    values = dict(row)
    body = values.pop("body")
    values["eased"] = bool(values["eased"])
    said = msgspec.json.decode(values["said"], type=tuple[Why, ...])
    values |= {"said": said, "regions": tuple(row["regions"]), "colour": Colour(row["colour"])}
    return Event(**values, title=stored(body).title if body else "")
