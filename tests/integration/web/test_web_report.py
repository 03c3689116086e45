"""The report of an alert, on the page and as documents; also after its rows have left for the archive."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from broadcaster.archive.archivist import Archived, Archivist
from broadcaster.dispatch.course import course
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, fold, write
from broadcaster.web.documents.phrases import Phrases
from broadcaster.web.pages import report_page
from tests.harness.web import DISTRICT, Web
from tests.integration.web.test_web_archived import over
from tests.integration.web.test_web_unreached import SCRIPT, sign_in


async def _delivered(web: Web, alert_id: int, ordinals: range) -> None:
    now = web.clock.now()
    events = [Event(alert_id, n, 1, DeliveryState.DELIVERED, None, None, None, now) for n in ordinals]
    await write(web.database, "w", events)
    await fold(web.database, now)


async def _half_reached(web: Web, **fields: object) -> int:
    number = await web.issued(**fields)
    await web.fan_out()
    web.clock.advance(2)
    await _delivered(web, number, range(2))
    web.clock.advance(60)
    await _delivered(web, number, range(2, 4))
    return number


async def test_the_course_tells_when_which_share_was_reached(web: Web) -> None:
    number = await _half_reached(web)
    async with web.database.connection() as connection:
        found = await course(connection, number)
    assert found is not None
    assert [(point.submitted, point.delivered, point.reached) for point in found.points] == [(2, 2, 2), (2, 2, 2)]
    half, most, _ = found.reached_at
    assert found.first_submit_at == found.opened_at + timedelta(seconds=2)
    assert (half, most) == (found.opened_at + timedelta(seconds=62), None)


async def test_the_report_measures_against_the_targets(web: Web) -> None:
    number = await _half_reached(web)
    await sign_in(web)
    text = await (await web.client.get(f"/alerts/{number}/report")).text()
    for word in ("第一条发出", "2.0 秒", "达到", "1:02", "第1镇", "1001村", "责任单元", "时间线", "66.7%"):
        assert word in text, word


async def test_a_target_is_missed_only_when_its_time_is_over_or_the_alert_is(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page.Accounts, "FRESH", -1.0)
    number = await _half_reached(web)
    await sign_in(web)
    path = f"/alerts/{number}/report"
    early = await (await web.client.get(path)).text()
    assert (early.count("还在时限内"), early.count("未达到")) == (3, 0)
    english = await (await web.client.get(f"{path}?lang=en")).text()
    assert english.count("Still in time") == 3
    web.clock.advance(20 * 60)
    later = await (await web.client.get(f"{path}?lang=zh")).text()
    assert (later.count("还在时限内"), later.count("未达到")) == (2, 1)
    await web.value("UPDATE alert SET superseded_by = 'newer' WHERE id = $1", number)
    over_now = await (await web.client.get(path)).text()
    assert (over_now.count("还在时限内"), over_now.count("未达到")) == (0, 3)


async def test_the_report_is_a_pdf_and_a_workbook_in_either_language(web: Web) -> None:
    number = await _half_reached(web, headline=f"预警{SCRIPT}")
    await sign_in(web, "viewer")
    for language in ("zh", "en"):
        pdf = await web.client.get(f"/alerts/{number}/report.pdf?lang={language}")
        assert (pdf.status, pdf.content_type) == (200, "application/pdf")
        content = await pdf.read()
        assert content.startswith(b"%PDF-")
        assert b"STSong-Light" in content
        assert b"/Outlines" in content
        book = load_workbook(
            io.BytesIO(await (await web.client.get(f"/alerts/{number}/report.xlsx?lang={language}")).read())
        )
        assert Phrases(language).say("各阶段用时与目标") in book.sheetnames


async def test_an_english_report_has_the_english_headline_and_says_that_it_is_english(web: Web) -> None:
    english = {"language": "en", "headline": "Red typhoon warning", "description": "x", "instruction": "Move now."}
    number = await _half_reached(web, translations=[english])
    await sign_in(web, "viewer")
    for language, headline in (("zh", "台风红色预警"), ("en", "Red typhoon warning")):
        book = load_workbook(
            io.BytesIO(await (await web.client.get(f"/alerts/{number}/report.xlsx?lang={language}")).read())
        )
        figures = {str(name): value for name, value in book.worksheets[0].iter_rows(values_only=True)}
        assert figures[Phrases(language).say("名称")] == headline
        pdf = await (await web.client.get(f"/alerts/{number}/report.pdf?lang={language}")).read()
        assert (b"/Lang (zh-CN)" if language == "zh" else b"/Lang (en)") in pdf


async def test_a_draft_has_no_report_and_says_so(web: Web) -> None:
    number = await web.draft()
    await sign_in(web)
    for path in ("report", "report.pdf", "report.xlsx"):
        assert (await web.client.get(f"/alerts/{number}/{path}")).status == 422


async def test_an_archived_alert_reports_the_same(web: Web, tmp_path: Path) -> None:
    number = await _half_reached(web)
    await over(web, number)

    async def no_rest(_seconds: float) -> None:
        pass

    async with web.database.connection() as connection:
        before = await course(connection, number)
    archivist = Archivist(web.database, web.clock, tmp_path / "archive", no_rest)
    assert isinstance(await archivist.archive(number, web.clock.now() - timedelta(days=30)), Archived)
    async with web.database.connection() as connection:
        assert await course(connection, number) == before
    await sign_in(web, "author", DISTRICT)
    text = await (await web.client.get(f"/alerts/{number}/report")).text()
    assert "2.0 秒" in text
    for path in (f"/alerts/{number}", f"/alerts/{number}/unreached", f"/alerts/{number}/doors"):
        assert (await web.client.get(path)).status == 200, path
