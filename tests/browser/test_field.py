"""A village head with a phone of 360 pixels, on a bad line; and everybody who looks at the public page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from broadcaster.web.context import Context
from tests.browser.visitor import Office, Visitor
from tests.harness.field import doors_open, photo, unit_link
from tests.harness.web import Make, Web

PHONE = (360, 740)


@pytest.fixture
async def web(make_web: Make, context: Context, tmp_path: Path) -> Web:
    data = replace(context.settings.data, dir=tmp_path)
    return await make_web(replace(context, settings=replace(context.settings, data=data)))


async def _ready(phone: Visitor) -> None:
    """The service worker has kept the page and what it is made of."""
    await phone.page.wait_for_function(
        """async () => {
            const pages = await (await caches.open("daohu-field-pages")).keys();
            const parts = await (await caches.open("daohu-field-parts")).keys();
            const doors = document.body.dataset.doors;
            return parts.length >= 5 && pages.length >= (doors ? 2 : 1);
        }"""
    )


async def test_a_head_confirms_and_reports_on_a_phone(office: Office, web: Web) -> None:
    link, unit = await unit_link(web)
    head = await office.visitor(PHONE)
    await head.go(link)
    confirm = head.page.get_by_role("button", name="我已收到")
    await confirm.dblclick()
    await expect(head.page.get_by_text("已确认收到，谢谢。")).to_be_visible()
    assert await web.value("SELECT via FROM unit WHERE id = $1", unit) == "link"
    assert await web.value("SELECT count(*) FROM response") == 1
    await head.page.get_by_label("已转移").fill("12")
    await head.page.get_by_role("button", name="上报").click()
    await expect(head.page.get_by_text("已转移 12")).to_be_visible()
    await expect(head.page.get_by_label("已转移")).to_have_value("")
    await head.page.set_input_files(
        "#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo((2000, 1500))}
    )
    await head.page.get_by_role("button", name="发送照片").click()
    await expect(head.page.get_by_text("已收到 1 张。")).to_be_visible()
    assert await web.value("SELECT width FROM field_photo") == 1600
    assert await head.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


async def test_a_confirmation_without_network_is_shown_as_waiting_and_arrives_later(office: Office, web: Web) -> None:
    link, unit = await unit_link(web)
    await doors_open(web, 1)
    head = await office.visitor(PHONE)
    await head.go(link)
    await _ready(head)
    await head.context.set_offline(True)
    await head.page.get_by_role("button", name="我已收到").click()
    await expect(head.page.get_by_text(re.compile("还没有发出去"))).to_be_visible()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    await expect(head.page.get_by_role("button", name="我已收到")).to_be_disabled()

    # closed and opened again in the valley: the page is there, and so is what waits
    await head.page.close()
    head.page = await head.context.new_page()
    await head.page.goto(office.address + link)
    await expect(head.page.get_by_text("现在没有网络")).to_be_visible()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    await head.page.get_by_role("link", name=re.compile("入户名单")).click()
    first = head.page.locator(".door").first
    await first.get_by_text("记录结果").click()
    await first.get_by_role("button", name="已告知").click()
    await expect(head.page.locator("#waiting")).to_have_text("2")
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"

    await head.context.set_offline(False)
    await expect(head.page.get_by_text("已发出去")).to_be_visible(timeout=20_000)
    await expect(head.page.locator("#outbox")).to_be_hidden()
    await expect(head.page.locator(".door")).to_have_count(2)
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "acknowledged"
    assert await web.value("SELECT count(*) FROM response") == 1
    assert await web.value("SELECT count(*) FROM door_visit") == 1


async def test_what_came_too_late_is_said_and_the_phone_forgets_the_page(office: Office, web: Web) -> None:
    link, unit = await unit_link(web)
    head = await office.visitor(PHONE)
    await head.go(link)
    await _ready(head)
    await head.context.set_offline(True)
    await head.page.get_by_role("button", name="我已收到").click()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    web.clock.advance(13 * 3600)
    await head.context.set_offline(False)
    await expect(head.page.get_by_role("alert")).to_contain_text("已经结束", timeout=20_000)
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"
    await head.page.get_by_role("button", name="知道了").click()
    await head.go(link)
    await head.page.wait_for_function(
        "async () => (await (await caches.open('daohu-field-pages')).keys()).length === 0"
    )
    await expect(head.page.locator("#faults")).to_be_hidden()


async def test_without_scripts_everything_can_be_said(office: Office, web: Web) -> None:
    link, unit = await unit_link(web)
    [door, *_] = await doors_open(web, 1)
    head = await office.visitor(PHONE, java_script_enabled=False)
    await head.go(link)
    await head.page.get_by_role("button", name="我已收到").click()
    await expect(head.page.get_by_text("已确认收到，谢谢。")).to_be_visible()
    await head.page.get_by_label("拒绝转移").fill("many")
    await head.page.get_by_role("button", name="上报").click()
    await expect(head.page.get_by_text("请填 0 到 999999")).to_be_visible()
    await expect(head.page.get_by_label("拒绝转移")).to_have_value("many")
    await head.page.get_by_label("拒绝转移").fill("2")
    await head.page.get_by_role("button", name="上报").click()
    await expect(head.page.get_by_text("已上报")).to_be_visible()
    await head.page.get_by_role("link", name=re.compile("入户名单")).click()
    await head.page.locator(f"#mark-{door} summary").click()
    await head.page.locator(f"#mark-{door}").get_by_role("button", name="拒绝转移").click()
    await expect(head.page.get_by_text("已记录：已告知，拒绝转移。")).to_be_visible()
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "acknowledged"


async def test_the_public_page_shows_the_area_on_a_map(office: Office, web: Web) -> None:
    square = '{"type":"Polygon","coordinates":[[[121.1,29.1],[121.9,29.1],[121.9,29.9],[121.1,29.1]]]}'
    await web.value("UPDATE region SET outline = $1::text::jsonb", square)
    number = await web.issued()
    name = quote(str(await web.value("SELECT identifier FROM alert WHERE id = $1", number)), safe="")
    anybody = await office.visitor(PHONE)
    await anybody.go("/a")
    await anybody.page.get_by_role("link", name=re.compile("台风红色预警")).click()
    await anybody.page.wait_for_url(f"**/a/{name}")
    await expect(anybody.page.locator("#map path.leaflet-interactive")).to_have_count(1)
    assert await anybody.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_pages_outside_the_console_have_no_serious_fault(office: Office, web: Web, language: str) -> None:
    link, _ = await unit_link(web)
    await doors_open(web, 1)
    name = quote(str(await web.value("SELECT identifier FROM alert")), safe="")
    head = await office.visitor(PHONE)
    for path in (link, f"{link}/doors", "/a", f"/a/{name}"):
        for width, height in (PHONE, (1366, 768)):
            await head.page.set_viewport_size({"width": width, "height": height})
            await head.go(f"{path}?lang={language}")
            assert await head.violations() == [], (path, width)
    await head.page.goto(f"{office.address}/r/{'A' * 32}?lang={language}")
    assert await head.violations() == []
