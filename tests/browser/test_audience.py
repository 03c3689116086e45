"""Audiences in a browser: down the tree without a reload and back again; a roster from the file to the yes."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

from playwright.async_api import expect

from broadcaster.database import DATABASE_AWAY
from broadcaster.rosters import import_work
from broadcaster.tasks import ended, look_after
from tests.browser.visitor import Office, Visitor
from tests.harness.web import DISTRICT, TOWN, Web

VILLAGE = f"{TOWN}001"


async def test_down_the_tree_by_keyboard_and_back_and_a_home_is_shown_on_asking(
    office: Office, desk: Visitor, web: Web
) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go(f"/audience?region={DISTRICT}")
    page = desk.page
    await page.evaluate("window.stays = true")
    await page.get_by_role("link", name="第1镇").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("第1镇")
    await expect(page.locator("h1")).to_be_focused()
    assert await page.evaluate("window.stays"), "only the part that changes was loaded"
    await page.get_by_role("link", name="1001村").click()
    await expect(page.get_by_role("heading", name="住户")).to_be_visible()
    assert page.url.endswith(f"region={VILLAGE}")
    await page.go_back()
    await expect(page.locator("h1")).to_contain_text("第1镇")
    await page.go_forward()
    await page.get_by_role("link", name=f"{VILLAGE}-1").click()
    await expect(page.locator("h1")).to_contain_text("户*")
    await page.get_by_role("button", name="显示姓名和号码").click()
    await expect(page.locator("h1")).to_contain_text("户1001-1")
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'household.reveal'") == 1


async def test_a_roster_goes_from_the_file_to_the_yes_while_the_page_follows(
    office: Office, desk: Visitor, web: Web, tmp_path: Path
) -> None:
    path = tmp_path / "住户.csv"
    path.write_text(f"户号,户主,网格编码,电话\nN1,赵一,{VILLAGE}001,13800138001\nN2,钱二,999,1\n", encoding="utf-8")
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go("/audience/imports")
    page = desk.page
    await page.set_input_files("#file", path)
    await page.get_by_role("button", name="上传并检查").click()
    await expect(page.get_by_text("正在检查")).to_be_visible()
    work = partial(import_work.work, web.database, web.clock, "w-1")
    worker = asyncio.create_task(look_after("rosters", work, DATABASE_AWAY))
    try:
        await expect(page.get_by_text("待您确认")).to_be_visible()
        await expect(page.get_by_role("cell", name="整行未导入")).to_be_visible()
        assert await desk.violations() == []
        await page.get_by_role("button", name="确认导入").click()
        await expect(page.get_by_text("已导入", exact=True)).to_be_visible()
    finally:
        await ended(worker)
    assert await web.value("SELECT count(*) FROM household WHERE external_id = 'N1'") == 1


async def test_a_substitute_takes_two_clicks(office: Office, desk: Visitor) -> None:
    await desk.sign_in(await office.account("officer", "author"))
    await desk.go(f"/duties?region={VILLAGE}")
    page = desk.page
    await page.get_by_role("link", name=re.compile("^替班")).click()
    await page.get_by_role("button", name="确定").click()
    await expect(page.get_by_text("已排班。")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^取消排班"))).to_be_visible()
