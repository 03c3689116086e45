"""The versions of what was decided: each stays, the newest holds, one without a body gives way to what it was over.

Templates and policies are the whole district's: whoever decides must hold the right over all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asyncpg import UniqueViolationError

from broadcaster.database import Connection, Database
from broadcaster.errors import ConflictError, NotFoundError
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require


class Subject(StrEnum):
    """What is decided about."""

    TEMPLATE = "template"
    POLICY = "policy"
    RULE = "rule"


ACTIONS = {
    Subject.TEMPLATE: Action.MANAGE_TEMPLATES,
    Subject.POLICY: Action.MANAGE_POLICIES,
    Subject.RULE: Action.MANAGE_RULES,
}
"""What somebody must be allowed to do."""

LONGEST_NOTE = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of what `name` says. `body` None: what it was decided over holds (again). `account` is the name of
    who saved it, "" where the account is gone."""

    name: str
    version: int
    body: str | None
    note: str
    account: str
    saved_at: datetime


_COLUMNS = "d.name, d.version, d.body, d.note, coalesce(a.name, '') AS account, d.saved_at"
_FROM = f"SELECT {_COLUMNS} FROM decision d LEFT JOIN account a ON a.id = d.account_id"


async def newest(connection: Connection, subject: Subject) -> dict[str, Version]:
    """The newest version of everything that was ever decided, by name."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT ON (d.name) {_COLUMNS}
        FROM decision d LEFT JOIN account a ON a.id = d.account_id
        WHERE d.subject = $1 ORDER BY d.name, d.version DESC
        """,
        subject.value,
    )
    return {row["name"]: Version(**row) for row in rows}


async def bodies(connection: Connection, subject: Subject) -> dict[str, str]:
    """What holds, by name."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (name) name, body FROM decision WHERE subject = $1 ORDER BY name, version DESC
        """,
        subject.value,
    )
    return {row["name"]: row["body"] for row in rows if row["body"] is not None}


async def history(connection: Connection, subject: Subject, name: str) -> list[Version]:
    """Every version of one name, the newest first."""
    rows = await connection.fetch(
        f"{_FROM} WHERE d.subject = $1 AND d.name = $2 ORDER BY d.version DESC", subject.value, name
    )
    return [Version(**row) for row in rows]


async def version(connection: Connection, subject: Subject, name: str, number: int) -> Version:
    """One version; `NotFoundError` where there is none."""
    row = await connection.fetchrow(
        f"{_FROM} WHERE d.subject = $1 AND d.name = $2 AND d.version = $3", subject.value, name, number
    )
    if row is None:
        raise NotFoundError("没有第 %(number)s 版。", remedy="请从版本记录中选择。", number=number)
    return Version(**row)


async def save(
    database: Database,
    actor: Actor,
    district: str,
    subject: Subject,
    name: str,
    body: str | None,
    *,
    seen: int,
    note: str,
    now: datetime,
) -> int:
    """Make `body` the newest version; its number. What holds already is not saved twice.

    `seen` is the version that it was made from (0: none): `ConflictError` when there is a newer one by now.
    """
    require(actor, ACTIONS[subject], (district,))
    try:
        async with database.transaction() as connection:
            last = await connection.fetchrow(
                "SELECT version, body FROM decision WHERE subject = $1 AND name = $2 ORDER BY version DESC LIMIT 1",
                subject.value,
                name,
            )
            number, holds = (last["version"], last["body"]) if last else (0, None)
            if body == holds:
                return int(number)
            if number != seen:
                raise _overtaken()
            await connection.execute(
                """
                INSERT INTO decision (subject, name, version, body, note, account_id, saved_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                subject.value,
                name,
                number + 1,
                body,
                note[:LONGEST_NOTE],
                actor.account_id,
                now,
            )
            await audit.append(
                connection,
                actor.account_id,
                ACTIONS[subject].value,
                now,
                subject=f"{subject.value}:{name}",
                detail={"version": number + 1, "given_up": body is None},
            )
            return int(number) + 1
    except UniqueViolationError as error:
        raise _overtaken() from error


def _overtaken() -> ConflictError:
    return ConflictError("在您编辑期间，别人保存了新的版本。", remedy="请先看版本记录，再把您的修改合并进去重新保存。")
