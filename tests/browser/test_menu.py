"""The menu on a telephone: one line, of which the rest comes up on request, by the thumb as by the keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.visitor import Office

PHONE = (360, 740)


@pytest.mark.parametrize(("language", "lines"), [("zh", 1), ("en", 2)])
async def test_the_menu_leaves_a_telephone_to_its_page(office: Office, language: str, lines: int) -> None:
    visitor = await office.visitor(PHONE)
    page = visitor.page
    await visitor.go(f"/?lang={language}")
    await visitor.sign_in(await office.account("officer", "author", "approver", "administrator"))
    height, line = await page.evaluate(
        "['.sections', '.sections a'].map((one) => document.querySelector(one).getBoundingClientRect().height)"
    )
    assert height < (lines + 0.5) * line
    more, audit = page.locator(".more"), page.locator('.sections a[href="/audit"]')
    await expect(audit).to_be_hidden()
    await more.click()
    await expect(audit).to_be_visible()
    assert await visitor.violations() == []
    await page.keyboard.press("Escape")
    await expect(audit).to_be_hidden()
    await more.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/audience*")
    await expect(more).to_contain_class("here")


async def test_at_a_desk_every_section_is_in_sight(office: Office) -> None:
    visitor = await office.visitor((1366, 768))
    await visitor.sign_in(await office.account("officer", "author", "approver", "administrator"))
    await expect(visitor.page.locator('.sections a[href="/audit"]')).to_be_visible()
    await expect(visitor.page.locator(".more")).to_be_hidden()


async def test_whoever_has_few_sections_needs_no_menu(office: Office) -> None:
    visitor = await office.visitor(PHONE)
    await visitor.sign_in(await office.account("watcher", "viewer"))
    sections = visitor.page.locator(".sections a")
    assert 0 < await sections.count() < 5
    await expect(sections.last).to_be_visible()
    await expect(visitor.page.locator(".more")).to_have_count(0)
