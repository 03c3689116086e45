"""Writing an invented district straight into the database, by COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

import asyncpg

from audiences.errors import AudienceError
from audiences.generator.district import District
from audiences.generator.residents import Resident, loudspeakers, officials, residents
from audiences.generator.tiling import Polygon
from audiences.importing.report import Progress

TABLES = ("region", "household", "person", "contact", "terminal", "duty")
ON_DUTY_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_BATCH = 20_000

_HOUSEHOLD = ("id", "external_id", "region_code", "name", "address", "lon", "lat", "tags", "risk", "size", "active")
_CONTACT = ("id", "household_id", "person_id", "medium", "address", "region_code", "priority", "active")
_PERSON = ("id", "external_id", "household_id", "name", "language")


async def store(connection: asyncpg.Connection, district: District, *, progress: Progress | None = None) -> None:
    """Fill the empty audience tables; AudienceError when there is something in them."""
    async with connection.transaction():
        await connection.execute(f"LOCK TABLE {', '.join(TABLES)} IN SHARE ROW EXCLUSIVE MODE")
        for table in TABLES:
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                raise AudienceError(
                    f"数据库里已有数据（{table}），不能再生成演练区县。", remedy="请使用空数据库，或先清空住户与区域。"
                )
        await _store_regions(connection, district)
        await _store_officials(connection, district)
        await _store_terminals(connection, district)
        await _store_households(connection, district, progress)
        for table in TABLES[1:]:
            await connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 0) + 1, false) FROM {table}"
            )
    for table in TABLES:
        await connection.execute(f"ANALYZE {table}")


def outline_geojson(ring: Polygon) -> dict[str, object]:
    """A GeoJSON Polygon; rings are closed, positions (lon, lat), the outer ring counter-clockwise (RFC 7946)."""
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*ring, ring[0])]]}


async def _store_regions(connection: asyncpg.Connection, district: District) -> None:
    records = [
        (
            region.code,
            region.name,
            int(region.level),
            region.parent_code,
            *region.middle,
            json.dumps(outline_geojson(region.outline)) if region.outline else None,
        )
        for region in district.regions
    ]
    columns = ("code", "name", "level", "parent_code", "lon", "lat", "outline")
    await connection.copy_records_to_table("region", records=records, columns=columns)


async def _store_officials(connection: asyncpg.Connection, district: District) -> None:
    everybody = list(enumerate(officials(district), start=1))
    await connection.copy_records_to_table(
        "person",
        records=[(number, who.external_id, None, who.name, "zh-CN") for number, who in everybody],
        columns=_PERSON,
    )
    await connection.copy_records_to_table(
        "duty",
        records=[
            (number, number, who.region_code, str(who.role), str(who.rank), ON_DUTY_SINCE, None)
            for number, who in everybody
        ],
        columns=("id", "person_id", "region_code", "role", "rank", "valid_from", "valid_to"),
    )
    await connection.copy_records_to_table(
        "contact",
        records=[
            (2 * number - 1 + place, None, number, medium, address, "", 0, True)
            for number, who in everybody
            for place, (medium, address) in enumerate((("phone", who.phone), ("wechat", who.wechat)))
        ],
        columns=_CONTACT,
    )


async def _store_terminals(connection: asyncpg.Connection, district: District) -> None:
    await connection.copy_records_to_table(
        "terminal",
        records=[
            (number, one.external_id, one.name, one.region_code, one.lon, one.lat, "loudspeaker", one.external_id, True)
            for number, one in enumerate(loudspeakers(district), start=1)
        ],
        columns=("id", "external_id", "name", "region_code", "lon", "lat", "kind", "address", "active"),
    )


async def _store_households(connection: asyncpg.Connection, district: District, progress: Progress | None) -> None:
    contact_id = int(await connection.fetchval("SELECT coalesce(max(id), 0) FROM contact"))
    stream = residents(district)
    stored = 0
    while batch := list(islice(stream, _BATCH)):
        await connection.copy_records_to_table(
            "household",
            records=[(home.number + 1, *home[1:10], True) for home in batch],
            columns=_HOUSEHOLD,
        )
        contacts = list(_numbered(_contacts(batch), contact_id + 1))
        await connection.copy_records_to_table("contact", records=contacts, columns=_CONTACT)
        contact_id += len(contacts)
        stored += len(batch)
        if progress is not None:
            progress(stored, stored / district.households)


def _contacts(homes: Iterable[Resident]) -> Iterator[tuple[object, ...]]:
    for home in homes:
        household_id = home.number + 1
        for priority, phone in enumerate(home.phones):
            yield household_id, None, "phone", phone, home.region_code, priority, True
        if home.wechat:
            yield household_id, None, "wechat", home.wechat, home.region_code, 0, True
        if home.email:
            yield household_id, None, "email", home.email, home.region_code, 0, True


def _numbered(records: Iterable[tuple[object, ...]], first: int) -> Iterator[tuple[object, ...]]:
    return ((number, *record) for number, record in enumerate(records, start=first))
