"""What a dry run says of single records: which fields the file would change, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

SHOWN = 200
"""Records of one kind of change; more are counted."""

_LONGEST = 200
"""Characters of a value."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `old` as it is registered, `new` as the file has it; "" for nothing."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record of `table` that is registered already. `row` of the file (0: because it is not in the file), `key` as
    the roster names it, `region` of the record as it is registered."""

    row: int
    table: str
    key: str
    region: str
    fields: tuple[FieldChange, ...]


def differing(
    record: str,
    source: str,
    join: str,
    key: str,
    region: str,
    fields: Sequence[str],
    *,
    complete: Sequence[str] = (),
    digested: Sequence[str] = (),
) -> str:
    """A statement for the records `r` (of `record`, joined by `join`) that what the file says, `s` (of `source`), would
    change. Where `s` has NULL the file says nothing, but for the fields in `complete`: those it says in full. Of those
    in `digested`, which are long, a digest is shown."""

    def text(side: str, field: str) -> str:
        value = f"{side}.{field}"
        if side == "s" and field not in complete:
            value = f"coalesce(s.{field}, r.{field})"
        written = (
            f"left(md5({value}::text), 8)" if field in digested else f"left(to_jsonb({value}) #>> '{{}}', {_LONGEST})"
        )
        return f"coalesce({written}, '')"

    changed = " OR ".join(
        f"s.{field} IS DISTINCT FROM r.{field}"
        if field in complete
        else f"(s.{field} IS NOT NULL AND s.{field} IS DISTINCT FROM r.{field})"
        for field in fields
    )
    values = ", ".join(f"{text('r', field)} AS old_{field}, {text('s', field)} AS new_{field}" for field in fields)
    return f"""
SELECT s.row_number AS row, {key} AS key, {region} AS region, count(*) OVER () AS total, {values}
FROM {source} AS s JOIN {record} r ON {join}
WHERE {changed}
ORDER BY s.row_number LIMIT {SHOWN}
"""


def differences(table: str, rows: Sequence[Mapping[str, Any]]) -> list[RecordChange]:
    """What such a statement found."""
    return [RecordChange(row["row"], table, row["key"], row["region"], tuple(_fields(row))) for row in rows]


def _fields(row: Mapping[str, Any]) -> list[FieldChange]:
    if "medium" in row.keys():  # noqa: SIM118  # a record
        return [FieldChange(row["medium"], row["old_address"], row["new_address"])]
    names = [name.removeprefix("old_") for name in row.keys() if name.startswith("old_")]  # noqa: SIM118  # a record
    found = [FieldChange(name, row[f"old_{name}"], row[f"new_{name}"]) for name in names]
    return [one for one in found if one.old != one.new]


def first(changes: Sequence[RecordChange]) -> tuple[RecordChange, ...]:
    """The first of all, in the order of the file."""
    return tuple(islice(sorted(changes, key=lambda one: (one.row or 10**9, one.table, one.key)), SHOWN))
