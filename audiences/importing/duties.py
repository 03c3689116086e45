"""Import of duty holders: one row per person × region × role, with the person's own contacts.

A person is known by the number in the file (人员编号), else by the first phone. Which offices a person holds, and until
when, is what the file says; offices that it does not name are left alone unless the roster is said to be complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import asyncpg

from audiences.duties import LEVELS, fits
from audiences.importing import cells, columns, duty_sql
from audiences.importing.columns import Header, Row
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.rows import RowReader, RowRefusedError, batches
from audiences.importing.staging import (
    BATCH_ROWS,
    READING,
    Run,
    Within,
    affected,
    headed,
    import_transaction,
    known_regions,
)
from audiences.importing.tables import open_table
from audiences.records import Level, Rank, Role

# As rosters write them: the role, and the rank where the words say it.
ROLES: dict[str, tuple[Role, Rank | None]] = {
    "村书记": (Role.VILLAGE_HEAD, None),
    "村主任": (Role.VILLAGE_HEAD, None),
    "社区书记": (Role.VILLAGE_HEAD, None),
    "社区主任": (Role.VILLAGE_HEAD, None),
    "村社负责人": (Role.VILLAGE_HEAD, None),
    "村副书记": (Role.VILLAGE_HEAD, Rank.DEPUTY),
    "村副主任": (Role.VILLAGE_HEAD, Rank.DEPUTY),
    "社区副书记": (Role.VILLAGE_HEAD, Rank.DEPUTY),
    "网格长": (Role.GRID_LEADER, None),
    "副网格长": (Role.GRID_LEADER, Rank.DEPUTY),
    "网格员": (Role.GRID_MEMBER, None),
    "专职网格员": (Role.GRID_MEMBER, None),
    "兼职网格员": (Role.GRID_MEMBER, Rank.DEPUTY),
    "应急队员": (Role.RESPONDER, None),
    "抢险队员": (Role.RESPONDER, None),
    "镇街负责人": (Role.TOWN_LEADER, None),
    "镇长": (Role.TOWN_LEADER, None),
    "街道主任": (Role.TOWN_LEADER, None),
    "驻村领导": (Role.TOWN_LEADER, None),
    "值班室": (Role.DUTY_DESK, None),
    "值班员": (Role.DUTY_DESK, None),
    **{str(role): (role, None) for role in Role},
}
RANKS = {
    "主": Rank.PRIMARY,
    "正": Rank.PRIMARY,
    "主要": Rank.PRIMARY,
    "副": Rank.DEPUTY,
    "备": Rank.DEPUTY,
    "primary": Rank.PRIMARY,
    "deputy": Rank.DEPUTY,
}
LEVEL_NAMES = {Level.COUNTY: "县", Level.TOWN: "镇街", Level.VILLAGE: "村社", Level.GRID: "网格"}

ROLE = f"角色为 {'、'.join(name for name in ROLES if not name.isascii())}"
RANK = "主 或 副"
WRONG_LEVEL = "该角色须对应 {level} 的 {length} 位编码"
NOBODY = "须有人员编号，或至少一个可用的电话"
ENDS_FIRST = "离任日期须晚于任职日期"


class DutyReader(RowReader):
    """One row of a roster of duty holders → the columns of `duty_sql.COLUMNS`."""

    def __init__(self, header: Header, problems: Problems, regions: frozenset[str], within: Within = None) -> None:
        super().__init__(header, problems, within)
        self._regions = regions

    def read(self, row: Row) -> tuple[object, ...]:
        self.begin(row)
        name = self.required("name", _name)
        phones, phones_read = self.several("phone", cells.phones)
        wechats, wechats_read = self.several("wechat", cells.wechats)
        emails, emails_read = self.several("email", cells.emails)
        person = self.optional("person", cells.key, "") or (f"tel:{phones[0]}" if phones else "")
        if not person:
            self.problems.refuse(self.row, self.header.heading("person"), "", NOBODY)
            raise RowRefusedError
        region_code = self.region("region_code", self._regions)
        role, rank = self._role(region_code)
        valid_from, valid_to = self._validity()
        return (
            self.row,
            person,
            name,
            self.optional("language", cells.language, None),
            region_code,
            role,
            rank,
            valid_from,
            valid_to,
            phones,
            wechats,
            emails,
            not (phones_read and wechats_read and emails_read),
        )

    def _role(self, region_code: str) -> tuple[Role, Rank]:
        role, rank = self.required("role", _role)
        if not fits(role, region_code):
            level = LEVELS[role]
            allowed = WRONG_LEVEL.format(level=LEVEL_NAMES[level], length=level.code_length)
            self.problems.refuse(self.row, self.header.heading("region_code"), region_code, allowed)
            raise RowRefusedError
        return role, self.optional("rank", _rank, None) or rank or Rank.PRIMARY

    def _validity(self) -> tuple[datetime | None, datetime | None]:
        """A wrong date refuses the row: nobody may be on duty by a misprint."""
        valid_from = self.required("valid_from", cells.moment)
        valid_to = self.required("valid_to", lambda cell: cells.moment(cell, end=True))
        if valid_from and valid_to and valid_to <= valid_from:
            self.problems.refuse(self.row, self.header.heading("valid_to"), self.cell("valid_to"), ENDS_FIRST)
            raise RowRefusedError
        return valid_from, valid_to


async def duties(
    connection: asyncpg.Connection,
    path: Path,
    *,
    at: datetime,
    complete: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    within: Within = None,
) -> ImportReport:
    """Add and update the duty holders of a .csv or .xlsx; FileError when the file as a whole cannot be read.

    `at` is now: from when a duty without a date is held. With `complete`, whoever holds a role for a region of the file
    and is not listed for it holds it no longer from `at` on. Rows about regions or people
    outside of `within` are refused.
    """
    run = Run.start("duties", progress, dry_run=dry_run, within=within)
    with open_table(path) as table:
        header, rows = await headed(table, columns.DUTY, ("name", "region_code", "role"))
        async with import_transaction(connection, dry_run=dry_run):
            reader = DutyReader(header, run.problems, await known_regions(connection, within=within), within)
            await connection.execute(duty_sql.CREATE)
            batched = batches(rows, reader.read, BATCH_ROWS)
            await run.load(connection, "staged_duty", duty_sql.COLUMNS, batched, table)
            await run.refuse_foreign(connection, duty_sql.DROP_FOREIGN, header.heading("person"), at)
            changes = await _store(connection, run, header, at, complete=complete)
            await connection.execute(duty_sql.DROP)
    return run.report(changes, header)


async def _store(
    connection: asyncpg.Connection, run: Run, header: Header, at: datetime, *, complete: bool
) -> dict[str, Changes]:
    await run.compare(connection, "person", duty_sql.DIFFERENT_PEOPLE)
    people = await connection.fetchrow(duty_sql.UPSERT_PEOPLE)
    await connection.execute(duty_sql.STAGE_CONTACTS)
    contacts = await connection.fetchrow(duty_sql.UPSERT_CONTACTS)
    media = [medium for medium in ("phone", "wechat", "email") if header.has(medium)]
    silenced = affected(await connection.execute(duty_sql.DEACTIVATE_CONTACTS, media))
    run.tell(READING + 0.3)
    run.merged = affected(await connection.execute(duty_sql.DROP_REPEATED))
    await run.compare(connection, "duty", duty_sql.DIFFERENT_DUTIES)
    if complete:
        await run.compare(connection, "duty", duty_sql.UNLISTED_DUTIES, at)
    written = await connection.fetch(duty_sql.UPSERT_DUTIES, at)
    held = {
        kind: run.note("duty", kind, [row for row in written if row["added"] is (kind == "added")])
        for kind in ("added", "updated")
    }
    ended = await run.write(connection, "duty", "deactivated", duty_sql.END_UNLISTED, at) if complete else 0
    listed = await connection.fetchrow(duty_sql.COUNT_LISTED)
    return {
        "person": _changes(people, listed["people"]),
        "contact": _changes(contacts, listed["contacts"], silenced),
        "duty": _changes(held, listed["duties"], ended),
    }


def _changes(written: Mapping[str, int], listed: int, deactivated: int = 0) -> Changes:
    unchanged = listed - written["added"] - written["updated"]
    return Changes(written["added"], written["updated"], unchanged, deactivated)


def _name(cell: str) -> str:
    name = cells.text(cell, 64)
    if not name:
        raise cells.CellError("不能为空", "")
    return name


def _role(cell: str) -> tuple[Role, Rank | None]:
    found = ROLES.get(cell.strip().lower())
    if found is None:
        raise cells.CellError(ROLE, cell)
    return found


def _rank(cell: str) -> Rank:
    found = RANKS.get(cell.strip().lower())
    if found is None:
        raise cells.CellError(RANK, cell)
    return found
