"""The live page in a real browser: what changes comes by itself, and what its reader does stays."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, fold, write
from broadcaster.escalation import tick
from tests.browser.visitor import Office, Visitor
from tests.harness.web import Web
from tests.integration.web.test_web_unreached import SCRIPT, unreached_alert, work_off

REACHED = "#part-figures .good dd"


async def _seen(web: Web, place: Locator, text: str) -> None:
    """Time passes on the server until the page shows it."""
    waiting = asyncio.ensure_future(expect(place).to_contain_text(text, timeout=60_000))
    while not waiting.done():
        web.clock.advance(1)
        await asyncio.wait({waiting}, timeout=0.05)
    await waiting


async def _reach(web: Web, alert_id: int, *ordinals: int) -> None:
    now = web.clock.now()
    events = [Event(alert_id, n, 1, DeliveryState.DELIVERED, None, None, None, now) for n in ordinals]
    await write(web.database, "w", events)
    await fold(web.database, now)


async def _cry(web: Web, alert_id: int, text: str) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO help_request (alert_id, response_id, region, address, text, created_at, repeated_at)"
            " VALUES ($1, 1, '', '', $2, $3, $3)",
            alert_id,
            text,
            web.clock.now(),
        )


async def _silent(web: Web) -> int:
    number = await web.issued()
    await web.fan_out()
    for _ in range(30):
        while await tick.tick(web.database, web.plans.load, web.clock.now()):
            pass
        web.clock.advance(60)
    return number


async def _watching(web: Web, office: Office, visitor: Visitor) -> int:
    number = await _silent(web)
    await visitor.sign_in(await office.account("officer", "author"))
    await visitor.go(f"/alerts/{number}")
    return number


async def test_figures_come_by_themselves_and_what_is_typed_and_open_stays(
    office: Office, web: Web, desk: Visitor
) -> None:
    number = await _watching(web, office, desk)
    page = desk.page
    await expect(page.locator("#map")).to_have_attribute("data-drawn", "2")
    await page.locator("[id^=confirm-] summary").first.click()
    field = page.locator("[id^=moved-]").first
    await field.fill("17")
    typed = await field.get_attribute("id")
    await page.locator("[id^=confirm-] summary").nth(1).click()
    other = page.locator("[id^=moved-]").nth(1)
    await other.fill("4")
    await _reach(web, number, 0, 1)
    await _seen(web, page.locator(REACHED), "2")
    await expect(page.locator(f"#{typed}")).to_have_value("17")
    await expect(other).to_have_value("4")
    await expect(other).to_be_focused()
    assert await page.locator("[id^=confirm-]").first.get_attribute("open") is not None
    await page.locator("[id^=confirm-] button").first.click()
    await page.wait_for_load_state()
    await expect(page.locator("#part-units")).to_contain_text("转移 17 人")


async def test_that_an_alert_was_replaced_is_said_above_while_what_is_typed_stays(
    office: Office, web: Web, desk: Visitor
) -> None:
    number = await _watching(web, office, desk)
    page = desk.page
    await page.locator("[id^=confirm-] summary").first.click()
    field = page.locator("[id^=moved-]").first
    await field.fill("17")
    await expect(page.get_by_role("button", name="解除")).to_be_visible()
    await web.value("UPDATE alert SET superseded_by = 'newer' WHERE id = $1", number)
    await _seen(web, page.locator("#standing"), "已被新的消息取代")
    await expect(page.get_by_role("button", name="解除")).to_have_count(0)
    await expect(field).to_have_value("17")


async def test_a_call_for_help_stands_on_top_and_sounds_once_it_is_allowed(
    office: Office, web: Web, desk: Visitor
) -> None:
    number = await _watching(web, office, desk)
    sound = desk.page.locator("#sound")
    await expect(sound).to_have_attribute("aria-pressed", "false")
    await _cry(web, number, f"水进屋了{SCRIPT}")
    await _seen(web, desk.page.locator("#live > section").first, "水进屋了<script>")
    assert await sound.get_attribute("data-sounded") is None
    await sound.click()
    await expect(sound).to_have_attribute("aria-pressed", "true")
    await expect(sound).to_have_attribute("data-sounded", "1")
    async with web.database.connection() as connection:
        await connection.execute("UPDATE help_request SET times = 2, repeated_at = $1", web.clock.now())
    await _seen(web, desk.page.locator("#part-helps"), "第 2 次")
    await expect(sound).to_have_attribute("data-sounded", "2")
    await sound.click()
    await expect(sound).to_have_attribute("aria-pressed", "false")


async def test_the_map_shows_the_grids_of_a_village_and_the_wall_has_no_forms(
    office: Office, web: Web, desk: Visitor
) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE region SET name = $1, outline = $2::text::jsonb WHERE code LIKE '%101001'",
            SCRIPT,
            '{"type": "Polygon", "coordinates": [[[121.4, 29.7], [121.6, 29.7], [121.6, 29.9], [121.4, 29.7]]]}',
        )
    number = await _watching(web, office, desk)
    page = desk.page
    await expect(page.locator("#map")).to_have_attribute("data-drawn", "2")
    box = await page.locator("#map").bounding_box()
    assert box is not None
    await page.locator("#map").click(position={"x": box["width"] * 0.62, "y": box["height"] * 0.75})
    await expect(page.locator("#whole")).to_be_visible()
    await page.locator("#whole").click()
    await expect(page.locator("#whole")).to_be_hidden()
    await _cry(web, number, "不给墙看")
    await desk.go(f"/alerts/{number}?view=wall")
    await expect(page.locator("#map")).to_have_attribute("data-drawn", "2")
    assert await page.locator("form").count() == 0
    assert "不给墙看" not in await page.content()
    await _reach(web, number, 0)
    await _seen(web, page.locator(REACHED).first, "1")


async def test_the_pages_below_an_alert_are_usable_and_the_report_draws_its_chart(
    office: Office, web: Web, desk: Visitor
) -> None:
    number = await unreached_alert(web)
    await _reach(web, number, 0, 1, 2)
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go(f"/alerts/{number}/report")
    await expect(desk.page.locator("#chart")).to_have_attribute("data-drawn", "3")
    await desk.go(f"/alerts/{number}/unreached")
    await desk.page.locator("#resend summary").click()
    await desk.page.locator("#resend button").click()
    await expect(desk.page.locator("#errands")).to_contain_text("正在安排重发")
    await work_off(web)
    await expect(desk.page.locator("#errands")).to_contain_text("重发给")
    phone = await office.visitor((360, 740))
    await phone.sign_in("officer")
    for path in ("", "?view=wall", "/unreached", "/doors?region=330212101001", "/doors/print", "/report?lang=en"):
        await phone.go(f"/alerts/{number}{path}")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360, path
