"""`doctor` names who keeps the database from cleaning up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from broadcaster.cli import examination
from broadcaster.database import Database
from broadcaster.house import House


async def test_a_transaction_that_is_left_open_is_named(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = cast(House, SimpleNamespace(database=database))
    assert (await examination._vacuum(house)).verdict == "ok"
    forgotten = await asyncpg.connect(database_url)
    async with forgotten.transaction():
        pid = await forgotten.fetchval("SELECT pg_backend_pid()")
        monkeypatch.setattr(examination, "LONGEST_TRANSACTION", 0.0)
        found = await examination._vacuum(house)
    await forgotten.close()
    assert found.verdict == "warning"
    assert str(pid) in found.what
    assert str(pid) in found.remedy
