"""Import of households with their contacts and members; the file's format is described in `audiences/README.md`."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from audiences.importing import cells, columns, household_sql
from audiences.importing.columns import Header, Row
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.rows import RowReader, batches
from audiences.importing.staging import BATCH_ROWS, READING, Run, Within, headed, import_transaction, known_regions
from audiences.importing.tables import open_table
from audiences.tags import VULNERABILITIES

CONTRADICTION = "同一户号在第 {first} 行是另一个区域；以先出现的为准"
LANGUAGE_WITHOUT_PERSON = "语言属于人，须与姓名在同一行"


class HouseholdReader(RowReader):
    """One row of a household roster → the columns of `household_sql.COLUMNS`."""

    def __init__(self, header: Header, problems: Problems, regions: frozenset[str], within: Within = None) -> None:
        super().__init__(header, problems, within)
        self._regions = regions
        self._has_tags = header.has("tags")

    def read(self, row: Row) -> tuple[object, ...]:
        self.begin(row)
        external_id = self.required("external_id", cells.key)
        region_code = self.region("region_code", self._regions)
        lon, lat = self.position()
        phones, phones_read = self.several("phone", cells.phones)
        wechats, wechats_read = self.several("wechat", cells.wechats)
        emails, emails_read = self.several("email", cells.emails)
        members = self._members()
        tags, risk = self._tags()
        return (
            self.row,
            external_id,
            region_code,
            self.optional("name", lambda cell: cells.text(cell, 64), "") or None,
            self.optional("address", lambda cell: cells.text(cell, 200), "") or None,
            lon,
            lat,
            tags,
            risk,
            self.optional("risk", cells.risk, None),
            self.optional("size", cells.size, None),
            self.optional("active", cells.yes_no, None),
            phones,
            wechats,
            emails,
            members,
            self._language(members),
            not (phones_read and wechats_read and emails_read),
        )

    def _members(self) -> list[str]:
        written = self.joined("members")
        if not written:
            return []
        try:
            return cells.names(written)
        except cells.CellError as error:
            self.ignored("members", error)
            return []

    def _tags(self) -> tuple[tuple[str, ...] | None, int | None]:
        """None, None: nothing said. A column that is there but blank says: no tags."""
        if not self._has_tags:
            return None, None
        try:
            return cells.household_tags(self.joined("tags"))
        except cells.CellError as error:
            self.ignored("tags", error)
            return None, None

    def _language(self, members: list[str]) -> str | None:
        language = self.optional("language", cells.language, None)
        if language and not members:
            self.ignored("language", cells.CellError(LANGUAGE_WITHOUT_PERSON, language))
            return None
        return language


async def households(
    connection: asyncpg.Connection,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    within: Within = None,
) -> ImportReport:
    """Add and update the households of a .csv or .xlsx; FileError when the file as a whole cannot be read.

    Rows about homes outside of `within` are refused.
    """
    run = Run.start("households", progress, dry_run=dry_run, within=within)
    with open_table(path) as table:
        header, rows = await headed(table, columns.HOUSEHOLD, ("external_id", "region_code"))
        async with import_transaction(connection, dry_run=dry_run):
            known = await known_regions(connection, shortest=12, within=within)
            reader = HouseholdReader(header, run.problems, known, within)
            await connection.execute(household_sql.CREATE)
            batched = batches(rows, reader.read, BATCH_ROWS)
            await run.load(connection, "staged_household", household_sql.COLUMNS, batched, table)
            await run.refuse_foreign(connection, household_sql.DROP_FOREIGN, header.heading("external_id"))
            homes = await _merge(connection, run, header)
            changes = await _store(connection, run, header, homes)
            await connection.execute(household_sql.DROP)
    return run.report(changes, header)


async def _merge(connection: asyncpg.Connection, run: Run, header: Header) -> int:
    """Bring the rows that speak of one household together; returns how many households the file has."""
    await connection.execute(household_sql.FIND_REPEATED)
    for row in await connection.fetch(household_sql.DROP_CONTRADICTIONS):
        allowed = CONTRADICTION.format(first=row["first_row"])
        run.problems.refuse(row["row_number"], header.heading("region_code"), row["region_code"], allowed)
    points = {rule.tag: rule.points for rule in VULNERABILITIES}
    # CREATE TABLE AS takes no parameters over the extended protocol; the values are our own constants.
    tags = ", ".join(f"'{tag}'" for tag in points)
    sql = household_sql.MERGE.replace("$1", f"ARRAY[{tags}]").replace("$2", f"ARRAY{list(points.values())}")
    await connection.execute(sql)
    staged = await connection.fetchval("SELECT count(*) FROM staged_household")
    homes = int(await connection.fetchval(household_sql.COUNT_ONCE))
    run.merged = staged - homes
    run.tell(READING + 0.05)
    return homes


async def _store(connection: asyncpg.Connection, run: Run, header: Header, homes: int) -> dict[str, Changes]:
    if run.dry_run:
        fields = await connection.fetchrow(household_sql.COUNT_FIELDS)
        run.fields = {name: count for name, count in fields.items() if count}
        await run.compare(connection, "household", household_sql.DIFFERENCES)
        await connection.execute(household_sql.KNOWN)
    updated = await run.write(connection, "household", "updated", household_sql.UPDATE)
    run.tell(READING + 0.1)
    added = await run.write(connection, "household", "added", household_sql.INSERT)
    run.tell(READING + 0.25)
    changes = {"household": Changes(added, updated, homes - added - updated)}
    if header.has("members"):
        people = await connection.fetchrow(household_sql.UPSERT_PEOPLE)
        changes["person"] = Changes(people["added"], people["updated"])
    await connection.execute(household_sql.STAGE_CONTACTS)
    if run.merged:
        await connection.execute(household_sql.MERGE_CONTACTS)
    await connection.execute("ANALYZE staged_contact")
    run.tell(READING + 0.35)
    media = [medium for medium in ("phone", "wechat", "email") if header.has(medium)]
    await run.compare(connection, "contact", household_sql.DIFFERENT_CONTACTS)
    await run.compare(connection, "contact", household_sql.UNLISTED_CONTACTS, media)
    written = await connection.fetch(household_sql.UPSERT_CONTACTS)
    contacts = {
        kind: run.note("contact", kind, [row for row in written if row["added"] is (kind == "added")])
        for kind in ("added", "updated")
    }
    run.tell(READING + 0.55)
    deactivated = 0
    if added < homes:
        deactivated = await run.write(connection, "contact", "deactivated", household_sql.DEACTIVATE_CONTACTS, media)
        await connection.execute(household_sql.MOVE_CONTACTS)
    listed = await connection.fetchval(household_sql.COUNT_CONTACTS)
    unchanged = listed - contacts["added"] - contacts["updated"]
    changes["contact"] = Changes(contacts["added"], contacts["updated"], unchanged, deactivated)
    return changes
