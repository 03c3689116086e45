"""Real pages in a real browser: Chromium, driven by Playwright, on the application with a small district behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.chromium import running
from tests.browser.visitor import Office, Visitor
from tests.harness.web import Web
from tests.harness.web_fixtures import bells, context, district, make_web, settings, web

__all__ = ["bells", "context", "district", "make_web", "settings", "web"]

DESK = (1366, 768)

expect.set_options(timeout=60_000)  # Playwright's five seconds are a quiet machine's


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """The address of a browser that serves all tests of a run: starting one takes longer than most of them."""
    with running() as address:
        yield address


@pytest.fixture
async def office(web: Web, chromium: str) -> AsyncIterator[Office]:
    """Opens browsers for people; each has cookies of its own. A script's error, or a resource from outside, fails."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(chromium)
        made = Office(browser, web)
        yield made
        await browser.close()
    assert made.complaints == []


@pytest.fixture
async def desk(office: Office) -> Visitor:
    """A browser at a desk, nobody signed in."""
    return await office.visitor(DESK)
