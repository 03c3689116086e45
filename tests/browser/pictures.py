"""Pictures of every page at three widths, for the documents: `python -m tests.browser.pictures` (`make pictures`).

The pages are those of a demonstration: a district is invented, a warning issued and accounted for, and then the
console is walked through by an administrator who is also an officer.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from broadcaster.cli.serving import serve_web
from broadcaster.demo import play
from broadcaster.demo.play import Demo
from broadcaster.logs import configure_logs
from broadcaster.security.accounts import create_administrator
from broadcaster.tasks import ended
from tests.browser.chromium import ARGUMENTS, executable
from tests.harness.ports import free_port

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "pages"
WIDTHS = {"wall": (1920, 1080), "desk": (1366, 768), "phone": (360, 740)}
HOUSEHOLDS = 2_000
TALLEST = 2_400
"""CSS pixels of a picture; a longer page is cut."""

PAGES: Mapping[str, str] = {
    "alerts": "/alerts",
    "alert": "/alerts/{warning}",
    "gateways": "/gateways",
    "templates": "/templates?folder=typhoon",
    "template": "/templates/typhoon/wording.zh-CN.j2",
    "policies": "/policies",
    "policy": "/policies/red",
    "me": "/me",
    "accounts": "/accounts",
    "account": "/accounts/1",
    "tokens": "/accounts/1/tokens",
    "audit": "/audit",
}
"""Pages of the console by their pictures' names."""

OUTSIDE: Mapping[str, str] = {
    "sign-in": "/",
    "reply": "/r/{reply}",
    "in-force": "/a",
    "public": "/a/{identifier}",
}
"""Pages for whoever is not signed in."""


async def main() -> None:
    configure_logs(level="warning")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="daohu-pictures-") as name:
        async with _demo(Path(name)) as (demo, places, password), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
            address = demo.house.settings.web.public_url
            for width in WIDTHS:
                await _walk(await _window(browser, width), address, width, OUTSIDE, places)
                inside = await _window(browser, width)
                await _sign_in(inside, address, password)
                await _walk(inside, address, width, PAGES, places)
            await browser.close()


@asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[tuple[Demo, dict[str, str], str]]:
    """A demonstration that has been played, its pages served; what the paths need, and the administrator's password."""
    port = free_port()
    async with play.set_stage(
        folder,
        households=HOUSEHOLDS,
        seed=1,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        progress=lambda *_: None,
    ) as demo:
        house = demo.house
        await play.perform(demo, "typhoon", lambda act, _: None, lambda *_: None)
        password = await create_administrator(house.database, "demo", house.settings.district.code, house.clock.now())
        serving = asyncio.create_task(serve_web(house))
        try:
            yield demo, await _places(demo), password
        finally:
            await ended(serving)


async def _places(demo: Demo) -> dict[str, str]:
    """The ids that paths need: the warning, a village, a household, a unit's reply link."""
    house = demo.house
    async with house.database.connection() as connection:
        warning: int = await connection.fetchval("SELECT min(id) FROM alert")
        identifier: str = await connection.fetchval("SELECT identifier FROM alert WHERE id = $1", warning)
        ordinal: int = await connection.fetchval(
            "SELECT min(ordinal) FROM delivery WHERE alert_id = $1 AND unit_id IS NOT NULL", warning
        )
        household: int = await connection.fetchval("SELECT min(id) FROM household")
        village: str = await connection.fetchval("SELECT min(code) FROM region WHERE level = 3")
    expires = house.clock.now() + timedelta(days=1)
    return {
        "warning": str(warning),
        "identifier": identifier,
        "reply": house.tokens.sign(warning, ordinal, expires),
        "household": str(household),
        "village": village,
    }


async def _window(browser: Browser, width: str) -> BrowserContext:
    size = WIDTHS[width]
    return await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )


async def _sign_in(window: BrowserContext, address: str, password: str) -> None:
    page = await window.new_page()
    await page.goto(address + "/")
    await page.fill("#name", "demo")
    await page.fill("#password", password)
    await page.click("main form button")
    await page.wait_for_selector(".account")
    await page.close()


async def _walk(
    window: BrowserContext, address: str, width: str, pages: Mapping[str, str], places: Mapping[str, str]
) -> None:
    for name, path in pages.items():
        page = await window.new_page()
        await page.goto(address + path.format(**places))
        await page.wait_for_load_state("load")
        await page.wait_for_timeout(500)  # what scripts draw
        await _save(page, FOLDER / f"{name}-{width}.png", WIDTHS[width][0])
        sys.stdout.write(f"{name}-{width}\n")
        await page.close()


async def _save(page: Page, target: Path, width: int) -> None:
    """The whole page, in few colours: text stays sharp, and the repository small."""
    height = min(TALLEST, await page.evaluate("document.documentElement.scrollHeight"))
    shot = await page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(colors=64).save(target, optimize=True)


if __name__ == "__main__":
    asyncio.run(main())
