"""The audit at the console and in the machine interface: filter, pages, verification, file."""

from __future__ import annotations

import re

import pytest

from broadcaster.errors import LimitedError
from broadcaster.security import audit
from broadcaster.web.pages.verification import Verification
from tests.harness.console import Console, signed_in
from tests.harness.web import DISTRICT, TOWN, Web


async def _fill(web: Web, entries: int) -> None:
    for number in range(entries):
        async with web.database.transaction() as connection:
            await audit.append(
                connection, 0, "alert.issue", web.clock.now(), alert_id=number, detail={"reason": '=1+1 "<b>'}
            )


async def _seen(console: Console, path: str) -> list[int]:
    await console.get(path)
    return [int(seq) for seq in re.findall(r'<td class="n faint">(\d+)</td>', console.text)]


async def test_the_trail_is_read_newest_first_page_by_page(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await _fill(web, 130)
    first = await _seen(chief, "/audit")
    [older] = re.findall(r'href="(/audit\?[^"]*before=\d+)"', chief.text)
    rest = await _seen(chief, older)
    assert first + rest == list(range(132, 0, -1))
    assert "更早的" not in chief.text


async def test_the_filter_narrows_and_its_faults_stand_at_its_fields(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await _fill(web, 3)
    assert await _seen(chief, "/audit?account=chief") == [2]
    assert await _seen(chief, "/audit?account=system&action=alert.issue") == [5, 4, 3]
    assert await _seen(chief, "/audit?alert=1") == [4]
    assert await _seen(chief, "/audit?since=2026-08-10&until=2026-08-10") == [5, 4, 3, 2, 1]
    assert await _seen(chief, "/audit?until=2026-08-09") == []
    assert "没有符合的记录" in chief.text
    answer = await chief.get("/audit?account=nobody&alert=x&since=yesterday&until=2026-13-01&before=x")
    assert answer.status == 422
    for place in ("account", "alert", "since", "until"):
        assert f'id="fault-{place}"' in chief.text
    assert 'value="nobody"' in chief.text
    assert (await chief.get("/audit?action=%00&account=%00")).status == 200


async def test_verifying_says_whole_with_the_head_or_names_the_broken_entry(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await chief.get("/audit")
    assert (await chief.post("/audit/verify")).status == 200
    assert "审计记录完整：共 2 条" in chief.text
    [head] = re.findall(r"2:[0-9a-f]{64}", chief.text)
    assert (await chief.post("/audit/verify", {"head": head})).status == 200
    assert "审计记录完整" in chief.text
    assert (await chief.post("/audit/verify", {"head": "3" + head[1:]})).status == 200
    assert "在第 3 条断开" in chief.text
    assert (await chief.post("/audit/verify", {"head": "x"})).status == 422
    assert 'id="fault-head"' in chief.text
    async with web.database.connection() as connection:
        await connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        await connection.execute("UPDATE audit_entry SET detail = '{}' WHERE seq = 1")
    await chief.post("/audit/verify")
    assert "在第 1 条断开" in chief.text


async def test_a_verification_that_takes_long_goes_on_behind_the_page(web: Web) -> None:
    await _fill(web, 300)
    hasty = Verification(web.database, patience=0)
    verdicts = [await hasty.verdict(None)]
    with pytest.raises(LimitedError):
        await hasty.verdict(audit.Head(1, "0" * 64))
    patient = Verification(web.database)
    assert await patient.verdict(None) is not None
    while verdicts[-1] is None:
        verdicts.append(await hasty.verdict(None))
    assert (verdicts[-1].entries, verdicts[-1].broken) == (300, None)
    await hasty.verdict(None)
    await hasty.close()


async def test_a_town_verifies_nothing_and_sees_its_own(web: Web) -> None:
    local = await signed_in(web, "local", ("administrator", TOWN))
    number = await web.draft()
    beside = await web.draft(regions=["330212102"])
    await _seen(local, "/audit")
    assert f'href="/alerts/{number}"' in local.text
    assert f'href="/alerts/{beside}"' not in local.text
    assert "核对审计记录" not in local.text
    assert (await local.post("/audit/verify")).status == 403


async def test_the_file_has_the_same_filter_runs_nothing_and_is_itself_an_entry(web: Web) -> None:
    chief = await signed_in(web, "chief", ("administrator", DISTRICT))
    await _fill(web, 700)
    await chief.get("/audit?action=alert.issue&since=2026-08-10")
    [link] = re.findall(r'href="(/api/v1/audit\.csv[^"]*)"', chief.text)
    answer = await chief.get(link)
    assert (answer.status, answer.content_type) == (200, "text/csv")
    lines = chief.text.strip().split("\r\n")
    assert len(lines) == 701
    assert lines[1].split(",")[:6] == ["702", "2026-08-10 03:00:00", "0", "system", "alert.issue", "699"]
    assert ",=" not in chief.text
    assert await _seen(chief, "/audit?action=audit.export") == [703]


async def test_machines_look_through_the_trail_too(web: Web) -> None:
    await _fill(web, 5)
    answer = await web.ask("GET", "/api/v1/audit?limit=3&action=alert.issue", "administrator")
    page = await answer.json()
    assert [entry["alert_id"] for entry in page["entries"]] == [4, 3, 2]
    assert page["entries"][0]["account"] == "system"
    rest = await (
        await web.ask("GET", f"/api/v1/audit?action=alert.issue&before={page['next']}", "administrator")
    ).json()
    assert [entry["alert_id"] for entry in rest["entries"]] == [1, 0]
    assert rest["next"] is None
    for wrong in ("account=nobody", "since=2026-08-10T00:00:00", "before=0", "x=1"):
        assert (await web.ask("GET", f"/api/v1/audit?{wrong}", "administrator")).status == 400, wrong
    assert (await web.ask("GET", "/api/v1/audit", "author")).status == 403
