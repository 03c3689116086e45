"""Import of stations from a .csv or .xlsx; the natural key is the code by which a station calls itself."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from audiences.importing import cells, columns
from audiences.importing.columns import Header, Row
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.rows import RowReader, batches
from audiences.importing.staging import BATCH_ROWS, Run, affected, by_region, import_transaction, known_regions
from audiences.importing.tables import open_table
from broadcaster.database import Connection
from broadcaster.sensing import LONGEST_CODE
from broadcaster.triggers.elements import ELEMENTS, is_element
from broadcaster.triggers.station import Limits, StationKind

_KINDS = {word: kind for kind in StationKind for word in (kind.value, kind.chinese, kind.chinese.removesuffix("站"))}
_KIND = "类型为 " + "、".join(kind.chinese for kind in StationKind)
_PERIOD = "每隔多少分钟上报一次，1 到 10080 的整数"
_LIMIT = "一个数"
_LIMITS = "如 water_level.warning=3.5; rainfall.high=200，名称为 warning、guarantee、low、high、rate、stuck"
_LIMIT_WORD = re.compile(r"\s*([a-z0-9_]+)\.(warning|guarantee|low|high|rate|stuck)\s*=\s*(-?\d+(?:\.\d+)?)\s*")
_NAMED = {chinese: name for name, chinese in ((one.name, one.chinese) for one in ELEMENTS.values())}

_COLUMNS = (
    "row_number",
    "code",
    "name",
    "region_code",
    "lon",
    "lat",
    "kind",
    "clusters",
    "period",
    "limits",
    "active",
)

_CREATE = """
CREATE TEMPORARY TABLE staged_station (
    row_number integer, code text, name text, region_code text, lon float8, lat float8, kind text, clusters text[],
    period integer, limits text, active boolean
) ON COMMIT DROP
"""

# The last row about a station stands.
_DROP_REPEATED = """
DELETE FROM staged_station s USING staged_station later
WHERE later.code = s.code AND later.row_number > s.row_number
"""

_UPDATE = by_region(
    """
UPDATE station t
SET name = coalesce(s.name, t.name), region_code = s.region_code, lon = coalesce(s.lon, t.lon),
    lat = coalesce(s.lat, t.lat), kind = coalesce(s.kind, t.kind), clusters = coalesce(s.clusters, t.clusters),
    period = coalesce(s.period, t.period), limits = coalesce(s.limits::jsonb, t.limits),
    active = coalesce(s.active, t.active)
FROM staged_station s
WHERE t.code = s.code
  AND (t.name, t.region_code, t.lon, t.lat, t.kind, t.clusters, t.period, t.limits, t.active) IS DISTINCT FROM
      (coalesce(s.name, t.name), s.region_code, coalesce(s.lon, t.lon), coalesce(s.lat, t.lat),
       coalesce(s.kind, t.kind), coalesce(s.clusters, t.clusters), coalesce(s.period, t.period),
       coalesce(s.limits::jsonb, t.limits), coalesce(s.active, t.active))
""",
    "t.region_code",
    "t.code",
)

_INSERT = by_region(
    """
INSERT INTO station (code, name, region_code, lon, lat, kind, clusters, period, limits, active)
SELECT code, coalesce(name, code), region_code, lon, lat, coalesce(kind, 'other'), coalesce(clusters, '{}'),
       coalesce(period, 3600), coalesce(limits, '{}')::jsonb, coalesce(active, true)
FROM staged_station s
WHERE NOT EXISTS (SELECT FROM station t WHERE t.code = s.code)
ORDER BY code
""",
    "region_code",
    "code",
)


class StationReader(RowReader):
    """One row of a roster of stations."""

    def __init__(self, header: Header, problems: Problems, regions: frozenset[str]) -> None:
        super().__init__(header, problems)
        self._regions = regions

    def read(self, row: Row) -> tuple[object, ...]:
        self.begin(row)
        return (
            self.row,
            self.required("external_id", _code),
            self.optional("name", lambda cell: cells.text(cell, 64), "") or None,
            self.region("region_code", self._regions),
            *self.position(),
            self.optional("kind", _kind, None),
            self.optional("clusters", _clusters, None),
            self.optional("period", _period, None),
            self._limits(),
            self.optional("active", cells.yes_no, None),
        )

    def _limits(self) -> str | None:
        """All of the row's limits as JSON; None where it names none."""
        nothing: dict[str, dict[str, float]] = {}
        found = self.optional("limits", _limit_words, nothing)
        for name in ("warning", "guarantee"):
            value = self.optional(name, _number, None)
            if value is not None:
                found.setdefault("water_level", {})[name] = value
        if not found:
            return None
        limits = msgspec.convert(found, dict[str, Limits])
        return msgspec.json.encode(limits, order="sorted").decode()


async def stations(
    connection: Connection, path: Path, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Add and update the stations of a .csv or .xlsx; FileError when the file as a whole cannot be read."""
    run = Run.start("stations", progress, dry_run=dry_run)
    with open_table(path) as table:
        header, rows = columns.find_header(table.rows(), columns.STATION, ("external_id", "region_code"))
        async with import_transaction(connection, dry_run=dry_run):
            reader = StationReader(header, run.problems, await known_regions(connection))
            await connection.execute(_CREATE)
            await run.load(connection, "staged_station", _COLUMNS, batches(rows, reader.read, BATCH_ROWS), table)
            run.merged = affected(await connection.execute(_DROP_REPEATED))
            listed = await connection.fetchval("SELECT count(*) FROM staged_station")
            updated = await run.write(connection, "station", "updated", _UPDATE)
            added = await run.write(connection, "station", "added", _INSERT)
            await connection.execute("DROP TABLE staged_station")
    return run.report({"station": Changes(added, updated, listed - added - updated)}, header)


def _code(cell: str) -> str:
    code = cells.key(cell)
    if len(code) > LONGEST_CODE or not code.isprintable():
        raise cells.CellError(f"站码，至多 {LONGEST_CODE} 个字符", cell)
    return code


def _kind(cell: str) -> str:
    kind = _KINDS.get(cell.strip().lower())
    if kind is None:
        raise cells.CellError(_KIND, cell)
    return kind.value


def _clusters(cell: str) -> list[str]:
    return list(dict.fromkeys(word for word in re.split(r"[、,，;；\s]+", cells.text(cell, 400)) if word))


def _period(cell: str) -> int:
    text = cell.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 10_080):
        raise cells.CellError(_PERIOD, cell)
    return int(text) * 60


def _number(cell: str) -> float:
    text = cell.strip()
    if not re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", text, flags=re.ASCII):
        raise cells.CellError(_LIMIT, cell)
    return float(text)


def _limit_words(cell: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for word in re.split(r"[;；\n]", cell):
        if not word.strip():
            continue
        written = word
        for chinese, name in _NAMED.items():
            written = written.replace(f"{chinese}.", f"{name}.")
        match = _LIMIT_WORD.fullmatch(written)
        if match is None or not is_element(match[1]):
            raise cells.CellError(_LIMITS, cell)
        found.setdefault(match[1], {})[match[2]] = float(match[3])
    return found
