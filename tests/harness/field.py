"""Responsible people with a link in their hand, and doors that nobody has reached yet."""

from __future__ import annotations

import io

from PIL import Image

from broadcaster.dispatch import doors
from broadcaster.dispatch.units import UnitDelivery, enqueue
from broadcaster.ports import Medium
from tests.harness.web import TOWN, Web

VILLAGE = TOWN + "001"


async def unit_link(web: Web, region: str = VILLAGE, number: int | None = None, **fields: object) -> tuple[str, int]:
    """The link that a village's head got (under a new alert unless one is given), and the unit's id."""
    number = await web.issued(**fields) if number is None else number
    async with web.database.transaction() as connection:
        unit = await connection.fetchval(
            "SELECT id FROM unit WHERE alert_id = $1 AND role = 'village_head' AND region = $2", number, region
        )
        contact = await connection.fetchrow(
            "SELECT id, address FROM contact WHERE person_id IS NOT NULL AND region_code = $1", region
        )
        item = UnitDelivery(unit, region, Medium.SMS, contact["id"], contact["address"])
        await enqueue(connection, number, [item], web.clock.now())
    ordinal = await web.value("SELECT max(ordinal) FROM delivery WHERE unit_id = $1", unit)
    return f"/r/{web.context.tokens.sign(number, ordinal)}", unit


async def doors_open(web: Web, alert_id: int, region: str = VILLAGE) -> list[int]:
    """Every household of a region is on the list of doors; their ids, in the order of the list."""
    await web.fan_out()
    async with web.database.transaction() as connection:
        await doors.open_for_region(connection, alert_id, region, None, web.clock.now())
    async with web.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT household_id FROM door_task WHERE alert_id = $1 AND starts_with(region, $2) ORDER BY household_id",
            alert_id,
            region,
        )
    return [row["household_id"] for row in rows]


def photo(
    size: tuple[int, int] = (2400, 1200), form: str = "JPEG", *, turned: bool = False, place: bool = False
) -> bytes:
    """A picture as a telephone makes one: `turned` lies on its side, `place` says where it was taken."""
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    if place:
        exif.get_ifd(0x8825)[1] = "N"
        exif[0x010F] = "SECRETPHONE"
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, form, exif=exif)
    return written.getvalue()
