"""The start page of an officer whom nobody tells to reload it: what a rule is about to send out comes by itself."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.browser.visitor import Office
from tests.harness.stations import put_to_work
from tests.harness.web import DISTRICT, Web
from tests.integration.web.test_rules import RULE, look, measure
from tests.integration.web.test_web_desk import silent


async def test_a_rules_alert_comes_by_itself_counts_down_and_is_vetoed(office: Office, web: Web) -> None:
    await silent(web)
    visitor = await office.visitor((360, 740))
    page = visitor.page
    await visitor.sign_in(await office.account("officer", "author", "approver", "administrator"))
    await visitor.go("/alerts")
    details = page.locator("[id^=confirm-]").first
    await details.get_by_text("记录电话确认").click()
    await details.get_by_label("转移人数").fill("12")
    await measure(web, 1.0, 1.0, 5.5, 5.6)
    await put_to_work(web.database, DISTRICT, "river", RULE, web.clock.now())
    await look(web)

    event = page.locator(".event")
    await expect(event).to_contain_text("无人否决", timeout=60_000)
    await expect(details.get_by_label("转移人数")).to_have_value("12")
    await expect(page).to_have_title("(1) 预警信息 · 鄞州区")
    timer = event.get_by_role("timer")
    before = await timer.inner_text()
    await expect(timer).not_to_have_text(before, timeout=60_000)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await visitor.violations() == []
    other = await office.visitor((1366, 768))
    await other.sign_in(await office.account("chief", "approver"))
    where = await event.get_by_role("link", name="查看预警").get_attribute("href")
    await other.go(f"{where}?said=submitted")
    await expect(other.page.get_by_role("timer")).to_be_visible()
    await event.get_by_role("button", name="否决，不发出").click()
    await expect(page.get_by_role("status")).to_contain_text("已否决")
    await expect(event).to_have_count(0)
    await _told_of_the_veto(web, other.page)


async def _told_of_the_veto(web: Web, page: Page) -> None:
    """Whoever has the alert's own page open learns of it without touching anything; time passes on the server."""
    waiting = asyncio.ensure_future(expect(page.locator("#called-off")).to_contain_text("officer", timeout=30_000))
    while not waiting.done():
        web.clock.advance(1)
        await asyncio.wait({waiting}, timeout=0.05)
    await waiting
    await expect(page.get_by_role("timer")).to_have_count(0)
    await expect(page.get_by_text("已提交审核")).to_have_count(0)
