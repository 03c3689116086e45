"""Rosters given over the web: kept in the database, examined by a worker, taken over only when their giver says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import BinaryIO

import msgspec

from audiences.importing import ImportReport
from broadcaster.database import Connection, Database
from broadcaster.errors import InputError, NotFoundError, RuleError
from broadcaster.phrase import joined
from broadcaster.rosters.sql import SQL
from broadcaster.security.permissions import Action, Actor, require_somewhere

LARGEST = 128 * 1024 * 1024  # bytes of a file; 600,000 households are 90 MB of CSV
OPEN_AT_ONCE = 5
PIECE = 1 << 20  # bytes
KEPT = timedelta(days=1)

KINDS: Mapping[str, Action] = {
    "households": Action.IMPORT,
    "duties": Action.MANAGE_DUTIES,
    "terminals": Action.IMPORT,
    "regions": Action.IMPORT,
}
_TABLES = (".csv", ".xlsx")
_SUFFIXES = {"regions": (*_TABLES, ".geojson", ".json")}


@dataclass(frozen=True, slots=True)
class RosterImport:
    """One file on its way. `share` (0 to 1) and `rows` tell how far the work under way is."""

    id: int
    account_id: int
    kind: str
    suffix: str
    filename: str
    bytes: int
    complete: bool
    within: tuple[str, ...]
    state: str
    rows: int
    share: float
    report: ImportReport | None
    fault: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def working(self) -> bool:
        """Whether a worker is at it, or about to be."""
        return self.state in ("examine", "apply")


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives: a kind of `KINDS`, the file's name as they call it, and the open file.

    `complete`, for duties: whoever is not listed holds the duty no longer.
    """

    kind: str
    filename: str
    file: BinaryIO
    complete: bool = False


def suffix_of(kind: str, filename: str) -> str:
    """The form that a file's name promises; `InputError` when no such roster is read."""
    suffix = PurePath(filename).suffix.lower()
    allowed = _SUFFIXES.get(kind, _TABLES)
    if suffix not in allowed:
        raise InputError(
            "不支持的文件格式“%(ending)s”。",
            remedy="请选择 %(allowed)s 文件。",
            ending=suffix[:12] or filename[:40],
            allowed=joined("、", allowed),
        )
    return suffix


async def give(database: Database, actor: Actor, given: Given, now: datetime) -> int:
    """Keep the file for a worker to examine; the import's id. It may touch only regions where the actor may import."""
    if given.kind not in KINDS:
        raise InputError("请选择名册种类。")
    within = require_somewhere(actor, KINDS[given.kind])
    suffix = suffix_of(given.kind, given.filename)
    size = given.file.seek(0, 2)
    if size == 0:
        raise InputError("文件是空的。", remedy="请重新选择文件。")
    if size > LARGEST:
        raise InputError("文件超过 %(size)s MB。", remedy="请按乡镇拆分后分别导入。", size=LARGEST >> 20)
    given.file.seek(0)
    async with database.transaction() as connection:
        if await connection.fetchval(SQL["import_open"], actor.account_id) >= OPEN_AT_ONCE:
            raise RuleError("您有 %(most)s 个导入还没有了结。", remedy="请先确认或放弃前面的导入。", most=OPEN_AT_ONCE)
        number: int = await connection.fetchval(
            SQL["import_add"],
            actor.account_id,
            given.kind,
            suffix,
            PurePath(given.filename).name[:120],
            size,
            given.complete and given.kind == "duties",
            list(within),
            now,
        )
        place = 0
        while piece := given.file.read(PIECE):
            await connection.execute(SQL["import_piece"], number, place, piece)
            place += 1
    return number


async def imports(connection: Connection, actor: Actor, most: int = 30) -> list[RosterImport]:
    """What the actor has given, the latest first."""
    return [_import(row) for row in await connection.fetch(SQL["imports"], actor.account_id, None, most)]


async def one(connection: Connection, actor: Actor, number: int) -> RosterImport:
    """One that the actor has given; `NotFoundError` for anybody else's."""
    rows = await connection.fetch(SQL["imports"], actor.account_id, number, 1)
    if not rows:
        raise NotFoundError("没有编号为 %(number)s 的导入。", remedy="请从导入列表中选择。", number=number)
    return _import(rows[0])


async def confirm(database: Database, actor: Actor, number: int) -> None:
    """Have an examined roster taken over, within what the actor may import now; done again it changes nothing."""
    async with database.transaction() as connection:
        found = await one(connection, actor, number)
        within = require_somewhere(actor, KINDS[found.kind])
        if found.state in ("apply", "done"):
            return
        if not await connection.fetchval(SQL["import_confirm"], number, actor.account_id, list(within)):
            raise RuleError("这次导入不在等待确认的状态。", remedy="请刷新页面查看，必要时重新上传。")


async def discard(database: Database, actor: Actor, number: int, now: datetime) -> None:
    """Give up a roster that is not being taken over; done again it changes nothing."""
    async with database.transaction() as connection:
        await one(connection, actor, number)
        if await connection.fetchval(SQL["import_discard"], number, actor.account_id, now):
            await connection.execute(SQL["import_forget"], number)


def _import(row: Mapping[str, object]) -> RosterImport:
    values = dict(row)
    written, within = values.pop("report"), values.pop("within")
    report = msgspec.json.decode(str(written), type=ImportReport) if written else None
    made = RosterImport(**values, report=report, within=())  # type: ignore[arg-type]  # a row of ours
    return replace(made, within=tuple(str(code) for code in within))  # type: ignore[attr-defined]
