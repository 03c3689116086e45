"""Writing and deciding in a real browser: from signing in to issued, on the map, in two windows, on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.async_api import expect

from tests.browser.visitor import Office, Visitor
from tests.harness.web import TOWN

Record = Callable[[str, object], None]
CLICKS_MOST = 12
SECONDS_MOST = 60.0
SAVED = re.compile("已保存")


class Hand:
    """Counts the clicks of a visitor; a choice from a list is one to open it and one to choose."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.clicks = 0

    async def click(self, selector: str) -> None:
        self.clicks += 1
        await self.page.click(selector)

    async def choose(self, selector: str, value: str) -> None:
        self.clicks += 2
        await self.page.select_option(selector, value)

    async def sign_in(self, visitor: Visitor, name: str) -> None:
        self.clicks += 1
        await visitor.sign_in(name)


async def test_a_red_typhoon_warning_from_signing_in_to_issued(
    office: Office, desk: Visitor, record_property: Record
) -> None:
    name = await office.account("officer", "author")
    hand, page, started = Hand(desk), desk.page, time.monotonic()
    await hand.sign_in(desk, name)
    await hand.click('nav.sections a[href="/compose"]')
    await hand.choose("#hazard", "typhoon")
    await hand.click('input[name="colour"][value="red"]')
    await hand.click(f'input[name="region-{TOWN}"]')
    await expect(page.locator("#headline")).to_have_value(re.compile("台风红色预警"))
    await expect(page.locator("#audience")).to_contain_text("第1镇")
    await expect(page.locator("#previews .bubble").first).to_contain_text("平均风力12级以上")
    await page.fill("#reason", "领导联系不上，台风即将登陆")
    await page.fill("#confirm", "第1镇")
    await hand.click('button[value="issue"]')
    await expect(page.locator(".done")).to_contain_text("已发布")
    seconds = time.monotonic() - started
    record_property("clicks", hand.clicks)
    record_property("seconds", round(seconds, 1))
    assert hand.clicks <= CLICKS_MOST
    assert seconds <= SECONDS_MOST
    await page.go_back()  # the form that was sent
    await expect(page.locator("body")).to_be_visible()
    await page.reload()
    assert await office.web.value("SELECT count(*) FROM alert") == 1


async def test_submitted_at_a_desk_and_approved_and_issued_on_a_phone(
    office: Office, desk: Visitor, record_property: Record
) -> None:
    author, approver = await office.account("officer", "author"), await office.account("leader", "approver")
    hand, started = Hand(desk), time.monotonic()
    await hand.sign_in(desk, author)
    await hand.click('nav.sections a[href="/compose"]')
    await hand.choose("#hazard", "typhoon")
    await hand.click('input[name="colour"][value="red"]')
    await hand.click(f'input[name="region-{TOWN}"]')
    await expect(desk.page.locator("#headline")).to_have_value(re.compile("台风红色预警"))
    await expect(desk.page.locator("#audience")).to_contain_text("第1镇")
    await hand.click('button[value="submit"]')
    await expect(desk.page.locator(".done")).to_contain_text("已提交审核")
    phone = await office.visitor((360, 740))
    thumb = Hand(phone)
    await thumb.sign_in(phone, approver)
    await thumb.click("ul.alerts a")
    await thumb.click('.actions a[href$="/review"]')
    await thumb.click("summary:has-text('批准并立即发布')")
    await phone.page.fill("#confirm-approve", "第1镇")
    await thumb.click("#approve-and-issue button")
    await expect(phone.page.locator(".done")).to_contain_text("已发布")
    record_property("clicks", (hand.clicks, thumb.clicks))
    record_property("seconds", round(time.monotonic() - started, 1))
    assert hand.clicks + thumb.clicks <= CLICKS_MOST
    width = await phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


async def test_the_map_draws_and_picks(office: Office, desk: Visitor) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go("/compose")
    page = desk.page
    await page.wait_for_selector("#map.leaflet-container")
    await page.click("text=画圆")
    box = await page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.click(x + 60, y + 40)
    await page.mouse.click(x + 110, y + 40)
    await expect(page.locator("#shapes")).to_have_value(re.compile(r"^[\d.]+,[\d.]+ [\d.]+km$"))
    await page.click("text=画多边形")
    for dx, dy in ((-90, -60), (-30, -60), (-30, -20)):
        await page.mouse.click(x + dx, y + dy)
    await page.click("text=完成")
    await expect(page.locator("#shapes")).to_have_value(re.compile(r"km\n([\d.]+,[\d.]+ ?){3}$"))
    await expect(page.locator("#saved")).to_have_text(SAVED)
    await page.click("text=撤销上一个")
    await expect(page.locator("#shapes")).to_have_value(re.compile(r"km$"))


async def test_two_windows_do_not_overwrite_each_other(office: Office, desk: Visitor) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go("/compose")
    await desk.page.fill("#headline", "甲的标题")
    await expect(desk.page.locator("#saved")).to_have_text(SAVED)
    other = await office.visitor((1366, 768))
    await other.sign_in(await office.account("colleague", "author"))
    hidden = await other.page.goto(desk.page.url)
    assert hidden is not None
    assert hidden.status == 404, "a draft without an area is its author's alone"
    await desk.page.check(f'input[name="region-{TOWN}"]')
    await expect(desk.page.locator("#audience")).to_contain_text("第1镇")
    await other.page.goto(desk.page.url)
    await other.page.fill("#headline", "乙的标题")
    await expect(other.page.locator("#saved")).to_have_text(SAVED)
    await expect(other.page.locator("#version")).to_have_value("4")
    await desk.page.fill("#headline", "甲的新标题")
    conflict = desk.page.locator("#conflict")
    await expect(conflict).to_contain_text("colleague")
    await expect(conflict.locator("del").first).to_have_text("乙")
    await expect(desk.page.locator("#headline")).to_have_value("甲的新标题")
    await desk.page.click('button[value="mine"]')
    await expect(desk.page.locator(".done")).to_be_visible()
    await expect(desk.page.locator("#headline")).to_have_value("甲的新标题")


async def test_a_draft_is_written_and_sent_without_scripts(office: Office) -> None:
    plain = await office.visitor((1366, 768), java_script_enabled=False)
    await plain.sign_in(await office.account("officer", "author"))
    await plain.go("/compose?status=Exercise")
    page = plain.page
    await page.select_option("#hazard", "typhoon")
    await page.check('input[name="colour"][value="red"]')
    await page.fill("#q", "1001村")
    await page.click('button[value="search"]')
    await page.check(f'#found input[name="region-{TOWN}001"]')
    await page.click('button[value="submit"]')
    await expect(page.locator(".done")).to_contain_text("已提交审核")


async def test_what_could_not_be_kept_is_said_and_stays(office: Office, desk: Visitor) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go("/compose")
    await desk.context.clear_cookies()
    await desk.page.fill("#headline", "写了一半")
    await expect(desk.page.locator("#saved")).to_contain_text("没有保存")
    await expect(desk.page.locator("#headline")).to_have_value("写了一半")


async def test_whoever_writes_a_reason_keeps_the_field_while_the_draft_is_kept(office: Office, desk: Visitor) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go("/compose")
    page = desk.page
    await page.select_option("#hazard", "typhoon")
    await page.click('input[name="colour"][value="red"]')
    await page.click(f'input[name="region-{TOWN}"]')
    await expect(page.locator("#decide")).to_contain_text("第1镇")
    await page.click("#other-previews summary")
    await page.locator("#reason").press_sequentially("because")
    async with page.expect_response(re.compile("/save$")):
        await page.locator("#reason").press_sequentially(" of")
    await page.locator("#reason").press_sequentially(" wind")
    await expect(page.locator("#reason")).to_be_focused()
    await expect(page.locator("#reason")).to_have_value("because of wind")
    async with page.expect_response(re.compile("/save$")):
        await page.fill("#headline", "台风红色预警，请转移")
    await expect(page.locator("#previews .bubble").first).to_contain_text("请转移")
    await expect(page.locator("#other-previews")).to_have_attribute("open", "")
