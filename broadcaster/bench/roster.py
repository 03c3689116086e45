"""The bench's audience: as many households with one phone each as there shall be recipients."""

from __future__ import annotations

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.database import Database
from broadcaster.sql import statements

SQL = statements("broadcaster.bench", "roster.sql")


async def fill(database: Database, recipients: int) -> None:
    """Fill the empty audience tables, as an import and its ANALYZE would leave them."""
    async with database.connection() as connection:
        await connection.execute(SQL["regions"], DISTRICT_CODE, DISTRICT_NAME)
        await connection.execute(SQL["households"], DISTRICT_CODE, recipients)
        await connection.execute(SQL["contacts"])
        await connection.execute("VACUUM ANALYZE region, household, contact")
