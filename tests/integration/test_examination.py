"""`doctor` names who keeps the database from cleaning up."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from broadcaster.cli import examination
from broadcaster.database import Database
from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject
from broadcaster.dispatch import pausing
from broadcaster.house import House
from broadcaster.issuing import Office
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.security.permissions import SYSTEM
from broadcaster.settings.policies import DEFAULT_POLICIES
from templates.issuer import Issuer


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


async def test_what_was_decided_in_the_console_is_counted_and_must_still_work(database: Database) -> None:
    office = Office("330212", Issuer("鄞州区应急管理局", "鄞州区"), lambda colour: DEFAULT_POLICIES[colour.value])
    house = cast(House, SimpleNamespace(database=database, office=office))
    assert "0 个模板" in (await examination._decisions(house)).what
    for seen, text in enumerate(("{% extends layout %}", "{% extends layout %}{% block aid %}")):
        await versions.save(
            database,
            SYSTEM,
            "330212",
            Subject.TEMPLATE,
            "typhoon/wording.zh-CN.j2",
            text,
            seen=seen,
            note="",
            now=datetime.now(UTC),
        )
        found = await examination._decisions(house)
        assert "1 个模板" in found.what
        assert found.verdict == ("failed" if seen else "ok")
    assert "typhoon/wording.zh-CN.j2" in found.what


async def test_a_gateway_that_was_paused_by_hand_is_named(database: Database) -> None:
    house = cast(House, SimpleNamespace(database=database))
    gateway = GatewaySettings("town-sms", Medium.SMS, "straw", rate=1)
    assert await examination._health(house) == []
    await pausing.pause(database, SYSTEM, "330212", gateway, "报修", datetime.now(UTC))
    [found] = await examination._health(house)
    assert (found.name, found.verdict) == ("网关 town-sms", "warning")
    assert "管理员暂停" in found.what
