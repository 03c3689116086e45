"""Import of terminals (loudspeakers). The natural key is the resource code (EBRID), or the county's own number."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from audiences.importing import cells, columns
from audiences.importing.columns import Header, Row
from audiences.importing.differences import differing
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.rows import RowReader, batches
from audiences.importing.staging import (
    BATCH_ROWS,
    Run,
    Within,
    affected,
    by_region,
    headed,
    import_transaction,
    known_regions,
)
from audiences.importing.tables import open_table

KINDS = {
    "loudspeaker": "loudspeaker",
    "大喇叭": "loudspeaker",
    "高音喇叭": "loudspeaker",
    "音柱": "loudspeaker",
    "收扩机": "loudspeaker",
}
KIND = "类型为 大喇叭、高音喇叭、音柱、收扩机 或 loudspeaker"

_COLUMNS = ("row_number", "external_id", "name", "region_code", "lon", "lat", "kind", "address", "active")

_CREATE = """
CREATE TEMPORARY TABLE staged_terminal (
    row_number integer, external_id text, name text, region_code text, lon float8, lat float8, kind text,
    address text, active boolean
) ON COMMIT DROP
"""

_DROP_FOREIGN = """
DELETE FROM staged_terminal s USING terminal t
WHERE t.external_id = s.external_id
  AND NOT EXISTS (SELECT FROM unnest($1::text[]) w WHERE starts_with(t.region_code, w))
RETURNING s.row_number, s.external_id AS key
"""

# The last row about a terminal stands.
_DROP_REPEATED = """
DELETE FROM staged_terminal s USING staged_terminal later
WHERE later.external_id = s.external_id AND later.row_number > s.row_number
"""

_UPDATE = by_region(
    """
UPDATE terminal t
SET name = coalesce(s.name, t.name), region_code = s.region_code, lon = coalesce(s.lon, t.lon),
    lat = coalesce(s.lat, t.lat), kind = coalesce(s.kind, t.kind), address = coalesce(s.address, t.address),
    active = coalesce(s.active, t.active)
FROM staged_terminal s
WHERE t.external_id = s.external_id
  AND (t.name, t.region_code, t.lon, t.lat, t.kind, t.address, t.active) IS DISTINCT FROM
      (coalesce(s.name, t.name), s.region_code, coalesce(s.lon, t.lon), coalesce(s.lat, t.lat),
       coalesce(s.kind, t.kind), coalesce(s.address, t.address), coalesce(s.active, t.active))
""",
    "t.region_code",
    "t.external_id",
)

_DIFFERENCES = differing(
    "terminal",
    "staged_terminal",
    "r.external_id = s.external_id",
    "r.external_id",
    "r.region_code",
    ("name", "region_code", "lon", "lat", "kind", "address", "active"),
)

# A gateway finds a terminal by its resource code unless the roster says otherwise.
_INSERT = by_region(
    """
INSERT INTO terminal (external_id, name, region_code, lon, lat, kind, address, active)
SELECT external_id, coalesce(name, external_id), region_code, lon, lat, coalesce(kind, 'loudspeaker'),
       coalesce(address, external_id), coalesce(active, true)
FROM staged_terminal s
WHERE NOT EXISTS (SELECT FROM terminal t WHERE t.external_id = s.external_id)
ORDER BY region_code, row_number
""",
    "region_code",
    "external_id",
)


class TerminalReader(RowReader):
    """One row of a roster of terminals."""

    def __init__(self, header: Header, problems: Problems, regions: frozenset[str], within: Within = None) -> None:
        super().__init__(header, problems, within)
        self._regions = regions

    def read(self, row: Row) -> tuple[object, ...]:
        self.begin(row)
        return (
            self.row,
            self.required("external_id", cells.key),
            self.optional("name", lambda cell: cells.text(cell, 64), "") or None,
            self.region("region_code", self._regions),
            *self.position(),
            self.optional("kind", _kind, None),
            self.optional("address", lambda cell: cells.text(cell, 200), "") or None,
            self.optional("active", cells.yes_no, None),
        )


async def terminals(
    connection: asyncpg.Connection,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    within: Within = None,
) -> ImportReport:
    """Add and update the terminals of a .csv or .xlsx; FileError when the file as a whole cannot be read.

    Rows about loudspeakers outside of `within` are refused.
    """
    run = Run.start("terminals", progress, dry_run=dry_run, within=within)
    with open_table(path) as table:
        header, rows = await headed(table, columns.TERMINAL, ("external_id", "region_code"))
        async with import_transaction(connection, dry_run=dry_run):
            reader = TerminalReader(header, run.problems, await known_regions(connection, within=within), within)
            await connection.execute(_CREATE)
            await run.load(connection, "staged_terminal", _COLUMNS, batches(rows, reader.read, BATCH_ROWS), table)
            await run.refuse_foreign(connection, _DROP_FOREIGN, header.heading("external_id"))
            run.merged = affected(await connection.execute(_DROP_REPEATED))
            listed = await connection.fetchval("SELECT count(*) FROM staged_terminal")
            await run.compare(connection, "terminal", _DIFFERENCES)
            updated = await run.write(connection, "terminal", "updated", _UPDATE)
            added = await run.write(connection, "terminal", "added", _INSERT)
            await connection.execute("DROP TABLE staged_terminal")
    return run.report({"terminal": Changes(added, updated, listed - added - updated)}, header)


def _kind(cell: str) -> str:
    kind = KINDS.get(cell.strip().lower())
    if kind is None:
        raise cells.CellError(KIND, cell)
    return kind
