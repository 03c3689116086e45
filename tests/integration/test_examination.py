"""`doctor` names who keeps the database from cleaning up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from broadcaster.cli import examination
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject
from broadcaster.dispatch import pausing
from broadcaster.house import House
from broadcaster.issuing import Office
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.security.permissions import SYSTEM
from broadcaster.settings import settings_from
from broadcaster.settings.policies import DEFAULT_POLICIES
from broadcaster.sources import SourceSettings
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


async def test_a_source_in_trouble_and_messages_that_wait_are_named(database: Database, clock: ManualClock) -> None:
    sources = tuple(
        SourceSettings(name=name, kind="cap", address="http://x/") for name in ("well", "ill", "odd", "new")
    )
    house = cast(House, SimpleNamespace(database=database, clock=clock, settings=SimpleNamespace(sources=sources)))
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO source_state (name, next_at, failures, trouble, reason, remarks, since, heard_at) VALUES"
            " ('well', $1, 0, '', '', '{}', NULL, $1), ('ill', $1, 7, 'busy', 'HTTP 503', '{}', $1, $1),"
            " ('odd', $1, 0, '', '', '{HTTP 404}', NULL, $1)",
            clock.now(),
        )
        await connection.execute(
            "INSERT INTO incoming (source, document, digest, received_at, state)"
            " VALUES ('well', 'x', 'x', $1, 'waiting')",
            clock.now(),
        )
    found = {one.name: one for one in await examination._sources(house)}
    assert set(found) == {"来源 ill", "来源 odd", "来源 new", "收到的消息"}
    assert "HTTP 503" in found["来源 ill"].what
    assert "HTTP 404" in found["来源 odd"].what
    assert "1 条" in found["收到的消息"].what
    async with database.connection() as connection:
        await connection.execute("DELETE FROM incoming")
    fine = SimpleNamespace(database=database, clock=clock, settings=SimpleNamespace(sources=sources[:1]))
    assert [one.verdict for one in await examination._sources(cast(House, fine))] == ["ok"]


def test_a_key_that_cannot_sign_and_a_disk_that_is_full_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = settings_from({"data": {"dir": str(tmp_path)}, "district": {"code": "330212", "name": "鄞州区"}})
    assert examination._signing(plain).verdict == "ok"
    half = replace(plain, feeds=replace(plain.feeds, signing_key=tmp_path / "none.pem"))
    found = examination._signing(half)
    assert (found.verdict, "signing_certificate" in found.what) == ("failed", True)
    assert examination._disk(plain).verdict != "failed"
    monkeypatch.setattr(examination, "FULL", 1 << 62)
    assert examination._disk(plain).verdict == "failed"
