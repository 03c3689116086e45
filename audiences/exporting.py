"""Export of households to a CSV that can be imported again: UTF-8 with a mark, one row per household, streamed."""

from __future__ import annotations

import csv
from pathlib import Path

import asyncpg

from audiences.importing.cells import FORMULA_STARTS
from audiences.selection import Selection, where
from audiences.tags import shown

COLUMNS = ("户号", "户主", "网格编码", "地址", "经度", "纬度", "人数", "标签", "风险", "在用", "电话", "微信", "邮箱")

_HOUSEHOLDS = """
SELECT h.external_id, h.name, h.region_code, h.address, h.lon, h.lat, h.size, h.tags, h.risk, h.active,
       c.phone, c.wechat, c.email
FROM household h
CROSS JOIN LATERAL (
    SELECT string_agg(address, '、' ORDER BY priority, id) FILTER (WHERE medium = 'phone') AS phone,
           string_agg(address, '、' ORDER BY priority, id) FILTER (WHERE medium = 'wechat') AS wechat,
           string_agg(address, '、' ORDER BY priority, id) FILTER (WHERE medium = 'email') AS email
    FROM contact WHERE household_id = h.id AND active
) AS c
"""


async def households(connection: asyncpg.Connection, path: Path, selection: Selection | None = None) -> int:
    """Write all households, or those of a selection, by region; returns how many. Memory is flat at any number."""
    condition, parameters = where(selection) if selection else ("TRUE", [])
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        async with connection.transaction():
            rows = connection.cursor(
                f"{_HOUSEHOLDS} WHERE {condition} ORDER BY h.region_code, h.id", *parameters, prefetch=2_000
            )
            async for row in rows:
                writer.writerow(_row(row))
                written += 1
    return written


def _row(row: asyncpg.Record) -> tuple[object, ...]:
    return (
        _harmless(row["external_id"]),
        _harmless(row["name"]),
        row["region_code"],
        _harmless(row["address"]),
        row["lon"],
        row["lat"],
        row["size"] or None,
        "、".join(shown(tag) for tag in row["tags"]),
        row["risk"],
        "是" if row["active"] else "否",
        _harmless(row["phone"] or ""),
        _harmless(row["wechat"] or ""),
        _harmless(row["email"] or ""),
    )


def _harmless(text: str) -> str:
    """A cell that a spreadsheet would run as a formula gets a quote in front; the import takes it away again."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
