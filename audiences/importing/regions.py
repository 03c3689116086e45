"""Import of regions: a table of codes and names, or GeoJSON with outlines. The natural key is the code.

The level follows from the code's length and the parent from its prefix, so that neither can contradict it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg

from audiences.importing import cells, columns, geojson_file
from audiences.importing.columns import Header, Row
from audiences.importing.differences import differing
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.rows import RowReader, RowRefusedError, batches
from audiences.importing.staging import (
    BATCH_ROWS,
    Records,
    Run,
    Within,
    affected,
    by_region,
    headed,
    import_transaction,
)
from audiences.importing.tables import open_table
from audiences.records import Level

WRONG_PARENT = "上级编码须为本编码去掉末三位：{parent}"
NO_PARENT = "上级 {parent} 未登记，也不在本文件中"

_COLUMNS = ("row_number", "code", "name", "level", "parent_code", "lon", "lat", "outline")

_CREATE = """
CREATE TEMPORARY TABLE staged_region (
    row_number integer, code text, name text, level smallint, parent_code text, lon float8, lat float8, outline jsonb
) ON COMMIT DROP
"""

# A region whose parent is nowhere, and then whatever hangs below it: run until nothing more falls.
_DROP_ORPHANS = """
DELETE FROM staged_region s
WHERE s.parent_code IS NOT NULL
  AND NOT EXISTS (SELECT FROM region r WHERE r.code = s.parent_code)
  AND NOT EXISTS (SELECT FROM staged_region p WHERE p.code = s.parent_code)
RETURNING s.row_number, s.code, s.parent_code
"""

# The last row about a code stands.
_DROP_REPEATED = """
DELETE FROM staged_region s USING staged_region later
WHERE later.code = s.code AND later.row_number > s.row_number
"""

_UPDATE = by_region(
    """
UPDATE region r
SET name = s.name, lon = coalesce(s.lon, r.lon), lat = coalesce(s.lat, r.lat), outline = coalesce(s.outline, r.outline)
FROM staged_region s
WHERE r.code = s.code AND (r.name, r.lon, r.lat, r.outline) IS DISTINCT FROM
      (s.name, coalesce(s.lon, r.lon), coalesce(s.lat, r.lat), coalesce(s.outline, r.outline))
""",
    "r.code",
    "r.code",
)

_DIFFERENCES = differing(
    "region",
    "staged_region",
    "r.code = s.code",
    "r.code",
    "r.code",
    ("name", "lon", "lat", "outline"),
    digested=("outline",),
)

_INSERT = by_region(
    """
INSERT INTO region (code, name, level, parent_code, lon, lat, outline)
SELECT code, name, level, parent_code, lon, lat, outline FROM staged_region s
WHERE NOT EXISTS (SELECT FROM region r WHERE r.code = s.code)
ORDER BY code
""",
    "code",
    "code",
)


class RegionReader(RowReader):
    """One row of a table of regions, or one feature laid out as such a row."""

    def read(self, row: Row) -> tuple[object, ...]:
        self.begin(row)
        return self.record(None)

    def record(self, outline: dict[str, object] | None) -> tuple[object, ...]:
        code = self.required("code", cells.code)
        self.require_inside("code", code)
        parent = None if Level.of(code) is Level.COUNTY else code[:-3]
        written = self.cell("parent")
        if written and written != (parent or ""):
            self.problems.refuse(
                self.row, self.header.heading("parent"), written[:40], WRONG_PARENT.format(parent=parent or "空")
            )
            raise RowRefusedError
        name = self.required("name", _name)
        lon, lat = self.position()
        if lon is None and outline is not None:
            lon, lat = geojson_file.middle(outline)
        stored = json.dumps(outline) if outline is not None else None
        return self.row, code, name, int(Level.of(code)), parent, lon, lat, stored


async def regions(
    connection: asyncpg.Connection,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    within: Within = None,
) -> ImportReport:
    """Add and update the regions of a .csv, .xlsx, .geojson or .json; FileError when the file cannot be read at all.

    Rows about regions outside of `within` are refused.
    """
    run = Run.start("regions", progress, dry_run=dry_run, within=within)
    if path.suffix.lower() in (".geojson", ".json"):
        return await _import(connection, run, _feature_batches(path, run), None)
    with open_table(path) as table:
        header, rows = await headed(table, columns.REGION, ("code", "name"))
        return await _import(
            connection, run, batches(rows, RegionReader(header, run.problems, within).read, BATCH_ROWS), header
        )


async def _import(
    connection: asyncpg.Connection, run: Run, batched: Iterator[tuple[int, Records]], header: Header | None
) -> ImportReport:
    async with import_transaction(connection, dry_run=run.dry_run):
        await connection.execute(_CREATE)
        await run.load(connection, "staged_region", _COLUMNS, batched)
        run.merged = affected(await connection.execute(_DROP_REPEATED))
        while orphans := await connection.fetch(_DROP_ORPHANS):
            for row in orphans:
                allowed = NO_PARENT.format(parent=row["parent_code"])
                run.problems.refuse(row["row_number"], "编码", row["code"], allowed)
        listed = await connection.fetchval("SELECT count(*) FROM staged_region")
        await run.compare(connection, "region", _DIFFERENCES)
        updated = await run.write(connection, "region", "updated", _UPDATE)
        added = await run.write(connection, "region", "added", _INSERT)
        await connection.execute("DROP TABLE staged_region")
    return run.report({"region": Changes(added, updated, listed - added - updated)}, header)


def _feature_batches(path: Path, run: Run) -> Iterator[tuple[int, Records]]:
    """Each feature is read as a row whose headings are the names of its properties."""
    records: Records = []
    seen = 0
    for feature in geojson_file.features(path):
        seen = feature.number
        reader = RegionReader(columns.match(list(feature.properties), columns.REGION), run.problems, run.within)
        with suppress(RowRefusedError):
            reader.begin((feature.number, list(feature.properties.values())))
            records.append(reader.record(_outline(feature, run.problems)))
    yield seen, records


def _outline(feature: geojson_file.Feature, problems: Problems) -> dict[str, object] | None:
    try:
        return geojson_file.outline(feature.geometry)
    except ValueError as error:
        kind = feature.geometry.get("type") if isinstance(feature.geometry, dict) else feature.geometry
        problems.ignore(feature.number, "geometry", str(kind)[:40], str(error))
        return None


def _name(cell: str) -> str:
    name = cells.text(cell, 64)
    if not name:
        raise cells.CellError("不能为空", "")
    return name
