"""Signing in with a phone's codes, and giving somebody a role, in a real browser."""

from __future__ import annotations

import re

from broadcaster.security.records import AccountRecord
from tests.browser.visitor import Office, Visitor
from tests.harness.web import PASSWORD, TOWN, Web


async def test_an_officer_sets_up_a_phone_and_signs_in_with_it(office: Office, web: Web, desk: Visitor) -> None:
    name = await office.account("zhang", "author")
    await desk.sign_in(name)
    page = desk.page
    await page.click(".account")
    await page.get_by_role("link", name="启用两步验证").click()
    picture = page.locator("img.qr")
    assert await picture.evaluate("image => image.complete && image.naturalWidth > 100")
    await page.fill("#code", await _code(web, name))
    await page.fill("#current", PASSWORD)
    await page.get_by_role("button", name="启用").click()
    [recovery, *_] = await page.locator(".codes code").all_inner_texts()
    await page.get_by_role("link", name="已经收好，继续").click()
    web.clock.advance(60)
    phone = await office.visitor((360, 740))
    await phone.go("/")
    await phone.page.fill("#name", name)
    await phone.page.fill("#password", PASSWORD)
    await phone.page.keyboard.press("Enter")
    await phone.page.wait_for_selector("#code")
    assert await phone.violations() == []
    await phone.page.fill("#code", recovery)
    await phone.page.keyboard.press("Enter")
    await phone.page.wait_for_selector(".account")


async def test_a_region_is_found_by_typing_and_the_first_password_is_changed(
    office: Office, web: Web, desk: Visitor
) -> None:
    await desk.sign_in(await office.account("chief", "administrator"))
    page = desk.page
    await page.get_by_role("link", name="账户管理", exact=True).click()
    await page.get_by_role("link", name="新建账户").click()
    await page.fill("#name", "wang.fang")
    await page.select_option("#role-0", "author")
    await page.locator("#region-0").press_sequentially("第1")
    offered = page.locator(f'#regions option[value^="{TOWN}"]').first
    await offered.wait_for(state="attached")
    await page.fill("#region-0", str(await offered.get_attribute("value")))
    await page.get_by_role("button", name="新建").click()
    password = await page.locator("code.secret").inner_text()
    await page.reload()
    assert "已经有人用了" in await page.locator("#fault-name").inner_text()
    owner = await office.visitor((360, 740))
    await owner.go("/")
    await owner.page.fill("#name", "wang.fang")
    await owner.page.fill("#password", password)
    await owner.page.keyboard.press("Enter")
    await owner.page.wait_for_selector("#again")
    assert await owner.violations() == []
    await owner.page.fill("#password", "a long own password")
    await owner.page.fill("#again", "a long own password")
    await owner.page.keyboard.press("Enter")
    await owner.page.wait_for_selector(".account")
    assert re.search(r"/alerts$", owner.page.url)


async def _code(web: Web, name: str) -> str:
    account = await AccountRecord.get(name=name)
    return web.context.factor.code(account.id, account.factor_seed, web.clock.now())
