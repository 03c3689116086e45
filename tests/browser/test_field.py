"""A village head with a phone of 360 pixels, on a bad line; and everybody who looks at the public page."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser.visitor import Office, Visitor
from tests.harness.field import doors_open, photo, unit_link
from tests.harness.waiting import wait_until
from tests.harness.web import Web

PHONE = (360, 740)


async def _ready(phone: Visitor) -> None:
    """The service worker has kept the page, the list of doors where there is one, and what they are made of."""
    await phone.until(
        """async () => {
            const parts = await (await caches.open("daohu-field-parts")).keys();
            const pages = await caches.open("daohu-field-pages");
            const wanted = [location.pathname, document.body.dataset.doors].filter(Boolean);
            const kept = await Promise.all(wanted.map((path) => pages.match(path)));
            return parts.length >= 5 && kept.every(Boolean);
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
    await expect(head.page.get_by_text("已发出去")).to_be_visible(timeout=60_000)
    await expect(head.page.locator("#outbox")).to_be_hidden()
    await expect(head.page.locator(".door")).to_have_count(2)
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "acknowledged"
    assert await web.value("SELECT count(*) FROM response") == 1
    assert await web.value("SELECT count(*) FROM door_visit") == 1


async def test_a_visit_is_sent_by_the_browser_after_the_page_was_closed_and_arrives_once(
    office: Office, web: Web
) -> None:
    number = await web.issued()
    [home, *_] = await doors_open(web, number)
    link, _ = await unit_link(web, number=number)
    head = await office.visitor(PHONE)
    await head.go(link)
    await _ready(head)
    await head.go(f"{link}/doors")
    await head.context.set_offline(True)
    door = head.page.locator(f"#door-{home}")
    await door.get_by_text("记录结果").click()
    await door.get_by_role("button", name="已告知").click()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    await head.until("async () => (await (await navigator.serviceWorker.ready).sync.getTags()).includes('daohu-field')")
    elsewhere = await head.context.new_page()
    await head.page.close()
    await head.context.set_offline(False)
    assert await web.value("SELECT count(*) FROM door_visit") == 0

    # the line is back and no page is open: the browser wakes the worker, which is what is done here for it, twice
    for _ in range(2):
        await _wake(head, elsewhere)
    await wait_until(lambda: web.value("SELECT count(*) FROM door_visit"), what="the visit to arrive")
    await elsewhere.goto(f"{office.address}{link}/doors")
    await expect(elsewhere.locator(".visit")).to_have_count(1)
    await expect(elsewhere.locator("#outbox")).to_be_hidden()
    assert await web.value("SELECT household_id FROM door_visit") == home


async def _wake(head: Visitor, page: Page) -> None:
    """A `sync` event for the worker of the telephone's pages, as the browser sends it when the line is back."""
    protocol = await head.context.new_cdp_session(page)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look(told: dict[str, Any]) -> None:
        ours = [one for one in told["registrations"] if one["scopeURL"] == f"{head.office.address}/r/"]
        if ours and not found.done():
            found.set_result(ours[0]["registrationId"])

    protocol.on("ServiceWorker.workerRegistrationUpdated", look)
    await protocol.send("ServiceWorker.enable")
    async with asyncio.timeout(60):
        registration = await found
    await protocol.send(
        "ServiceWorker.dispatchSyncEvent",
        {"origin": head.office.address, "registrationId": registration, "tag": "daohu-field", "lastChance": False},
    )
    await protocol.detach()


async def test_a_wrong_tap_is_taken_back_while_it_waits_and_after_it_was_sent(office: Office, web: Web) -> None:
    number = await web.issued()
    homes = await doors_open(web, number)
    link, _ = await unit_link(web, number=number)
    head = await office.visitor(PHONE)
    await head.go(link)
    await _ready(head)
    await head.go(f"{link}/doors")
    await head.context.set_offline(True)
    for door in (f"#door-{homes[0]}", f"#door-{homes[1]}"):
        await head.page.locator(door).get_by_text("记录结果").click()
        await head.page.locator(door).get_by_role("button", name="已告知").click()
    await expect(head.page.locator("#waiting")).to_have_text("2")
    await head.page.locator("#labels li").first.get_by_role("button", name="不发了").click()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    await expect(head.page.locator(f"#door-{homes[0]}").get_by_role("button", name="已告知")).to_be_enabled()

    await head.context.set_offline(False)
    await expect(head.page.locator(".visit")).to_have_count(1, timeout=60_000)
    assert await web.value("SELECT household_id FROM door_visit") == homes[1]

    # without network again: what was sent is taken back as well, when the line is there
    await head.context.set_offline(True)
    await head.page.locator(".visit").get_by_text("更正或撤回").click()
    await head.page.locator(".visit").get_by_role("button", name="撤回，没有去过").click()
    await expect(head.page.locator("#labels")).to_contain_text("更正")
    await head.context.set_offline(False)
    await expect(head.page.locator(".visit")).to_have_count(0, timeout=60_000)
    await expect(head.page.locator(".door")).to_have_count(3)
    assert await web.value("SELECT sum(reached)::int FROM chunk") == 0
    assert await head.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize(
    ("language", "received", "over", "close"),
    [("zh", "我已收到", "已经结束", "知道了"), ("en", "I have received this", "This is over", "OK")],
)
async def test_what_came_too_late_is_said_and_the_phone_forgets_the_page(
    office: Office, web: Web, language: str, received: str, over: str, close: str
) -> None:
    link, unit = await unit_link(web)
    head = await office.visitor(PHONE)
    await head.go(f"{link}?lang={language}")
    await head.go(link)
    await _ready(head)
    await head.context.set_offline(True)
    await head.page.get_by_role("button", name=received).click()
    await expect(head.page.locator("#waiting")).to_have_text("1")
    web.clock.advance(13 * 3600)
    await head.context.set_offline(False)
    await expect(head.page.get_by_role("alert")).to_contain_text(over, timeout=60_000)
    assert await web.value("SELECT state FROM unit WHERE id = $1", unit) == "waiting"
    await head.page.get_by_role("button", name=close).click()
    await head.go(link)
    await head.until("async () => (await (await caches.open('daohu-field-pages')).keys()).length === 0")
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
