"""Somebody in front of a browser: goes to pages, signs in, and has each page examined for accessibility."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page

from broadcaster.security import accounts
from broadcaster.security.permissions import SYSTEM, Grant, Role
from tests.harness.web import DISTRICT, PASSWORD, Web

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SERIOUS = ("serious", "critical")


@dataclass(slots=True)
class Office:
    """One browser with the application; `complaints` are what went wrong inside the pages."""

    browser: Browser
    web: Web
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.web.client.make_url("/")).rstrip("/")

    async def account(self, name: str, *roles: str, region: str = DISTRICT) -> str:
        """An account with these roles; its name. The password is `PASSWORD`."""
        grants = [Grant(Role(role), region) for role in roles]
        now = self.web.clock.now()
        await accounts.create_account(self.web.database, SYSTEM, name, PASSWORD, grants=grants, now=now)
        return name

    async def visitor(self, size: tuple[int, int], **options: Any) -> Visitor:
        """A browser window of that size (CSS pixels), with cookies of its own."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai", **options
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._only_ours(request.url))
        page.set_default_timeout(60_000)
        return Visitor(self, context, page)

    def _only_ours(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.address):
            self.complaints.append(f"asked another host: {url}")


@dataclass(slots=True)
class Visitor:
    """One window."""

    office: Office
    context: BrowserContext
    page: Page

    async def go(self, path: str) -> None:
        """Open a page of ours; fails unless the answer is a good one."""
        response = await self.page.goto(self.office.address + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"

    async def sign_in(self, name: str, password: str = PASSWORD) -> None:
        await self.go("/")
        await self.page.fill("#name", name)
        await self.page.fill("#password", password)
        await self.page.click("main form button")
        await self.page.wait_for_selector(".account")

    async def until(self, promise: str) -> None:
        """Wait until this asynchronous JavaScript function answers true in the page (60 s)."""
        pause = "await new Promise((resolve) => setTimeout(resolve, 20))"
        async with asyncio.timeout(60):
            await self.page.evaluate(f"async () => {{ while (!(await ({promise})())) {pause}; }}")

    async def violations(self) -> list[str]:
        """The serious and critical findings of axe-core on the page as it is."""
        asked = "return axe.run(document, {resultTypes: ['violations']})"
        found = await self.page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')}\n {asked}; }}")
        return [
            f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:5]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]
