"""Pictures of every page at three widths, for the documents: `python -m tests.browser.pictures` (`make pictures`).

The pages are those of two houses. One has played the demonstration: a district is invented, a warning issued and
accounted for. The other is in the middle of a night (`night.py`): rivers rise, others' warnings come in, rules count
down. An administrator who is also an officer walks through both. `--help` tells how to take a few of them only.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from broadcaster.cli.serving import serve_web
from broadcaster.demo import play
from broadcaster.house import House
from broadcaster.logs import configure_logs
from broadcaster.security.accounts import create_administrator
from tests.browser.chromium import ARGUMENTS, executable
from tests.browser.night import OFFICER, PASSWORD, night
from tests.harness.ports import free_port

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "pages"
WIDTHS = {"wall": (1920, 1080), "desk": (1366, 768), "phone": (360, 740)}
HOUSEHOLDS = 2_000
TALLEST = 2_400
"""CSS pixels of a picture; a longer page is cut."""

PAGES: Mapping[str, str] = {
    "alerts": "/alerts",
    "alert": "/alerts/{warning}",
    "compose": "/compose",
    "compose-drill": "/compose?status=Exercise",
    "review": "/alerts/{warning}/review",
    "audience": "/audience",
    "household": "/audience/households/1",
    "imports": "/audience/imports",
    "dead-numbers": "/audience/dead",
    "duties": "/duties",
    "gaps": "/duties/gaps",
    "me": "/me",
    "accounts": "/accounts",
    "account": "/accounts/1",
    "tokens": "/accounts/1/tokens",
    "audit": "/audit",
    "alert-wall": "/alerts/{warning}?view=wall",
    "unreached": "/alerts/{warning}/unreached",
    "doors": "/alerts/{warning}/doors",
    "doors-print": "/alerts/{warning}/doors/print",
    "report": "/alerts/{warning}/report",
    "gateways": "/gateways",
    "templates": "/templates?folder=typhoon",
    "template": "/templates/typhoon/wording.zh-CN.j2",
    "policies": "/policies",
    "policy": "/policies/red",
}
"""Pages of the console after the demonstration, by their pictures' names."""

OUTSIDE: Mapping[str, str] = {
    "sign-in": "/",
    "reply": "/r/{reply}",
    "in-force": "/a",
    "public": "/a/{identifier}",
}
"""Pages for whoever is not signed in."""


NIGHT: Mapping[str, str] = {
    "desk": "/alerts",
    "incoming": "/incoming",
    "incoming-message": "/incoming/{message}",
    "sources": "/sources",
    "subscribers": "/subscribers",
    "stations": "/stations",
    "station": "/stations/{station}",
    "rules": "/rules",
    "rule": "/rules/zhanqi-flood",
    "rule-version": "/rules/zhanqi-flood/versions/2",
    "rule-replay": "/rules/zhanqi-flood/replay?days=1",
}
"""Pages of the console in the night."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Somewhere to take pictures: where its pages are, what their paths need, and who signs in."""

    address: str
    places: Mapping[str, str]
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Order:
    """Which pictures are to be taken. `names` are the pages', () for all; `language` and `size` as well."""

    folder: Path
    names: tuple[str, ...]
    language: str
    sizes: tuple[str, ...]

    def among(self, pages: Mapping[str, str]) -> Mapping[str, str]:
        """Those of `pages` that are wanted."""
        return {name: path for name, path in pages.items() if not self.names or name in self.names}


Setting = Callable[[Path], AbstractAsyncContextManager[Scene]]


async def main(order: Order) -> None:
    configure_logs(level="warning")
    order.folder.mkdir(parents=True, exist_ok=True)
    for setting, outside, inside in ((_demo, OUTSIDE, PAGES), (_night, {}, NIGHT)):
        await _take(order, setting, order.among(outside), order.among(inside))


async def _take(order: Order, setting: Setting, outside: Mapping[str, str], inside: Mapping[str, str]) -> None:
    """The pictures of one scene, which is set only when there is something to take."""
    if not outside and not inside:
        return
    with tempfile.TemporaryDirectory(prefix="daohu-pictures-") as name:
        async with setting(Path(name)) as scene, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
            for width in order.sizes:
                await _walk(await _window(browser, width), order, scene, width, outside)
                window = await _window(browser, width)
                await _sign_in(window, order, scene)
                await _walk(window, order, scene, width, inside)
            await browser.close()


@asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[Scene]:
    """A demonstration that has been played."""
    port = free_port()
    async with play.set_stage(
        folder,
        households=HOUSEHOLDS,
        seed=1,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        progress=lambda *_: None,
        serve=serve_web,
    ) as demo:
        house = demo.house
        await play.perform(demo, "typhoon", lambda act, _: None, lambda *_: None)
        password = await create_administrator(house.database, "demo", house.settings.district.code, house.clock.now())
        yield Scene(house.settings.web.public_url, await _places(house), "demo", password)


@asynccontextmanager
async def _night(folder: Path) -> AsyncIterator[Scene]:
    """The night."""
    async with night(folder, free_port()) as house, house.database.connection() as connection:
        places = {
            "message": str(await connection.fetchval("SELECT max(id) FROM incoming WHERE state = 'waiting'")),
            "station": str(await connection.fetchval("SELECT id FROM station WHERE code = '62900102'")),
        }
        yield Scene(house.settings.web.public_url, places, OFFICER, PASSWORD)


async def _places(house: House) -> dict[str, str]:
    """The ids that paths need: the warning, a village, a household, a unit's reply link."""
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


async def _sign_in(window: BrowserContext, order: Order, scene: Scene) -> None:
    page = await window.new_page()
    await page.goto(f"{scene.address}/?lang={order.language}")
    await page.fill("#name", scene.name)
    await page.fill("#password", scene.password)
    await page.click("main form button")
    await page.wait_for_selector(".account")
    await page.close()


async def _walk(window: BrowserContext, order: Order, scene: Scene, width: str, pages: Mapping[str, str]) -> None:
    for name, path in pages.items():
        page = await window.new_page()
        await page.goto(scene.address + path.format(**scene.places))
        await page.wait_for_load_state("load")
        await page.wait_for_timeout(500)  # what scripts draw
        await _save(page, order.folder / f"{name}-{width}.png", WIDTHS[width][0])
        sys.stdout.write(f"{name}-{width}\n")
        await page.close()


async def _save(page: Page, target: Path, width: int) -> None:
    """The whole page, in few colours: text stays sharp, and the repository small."""
    height = min(TALLEST, await page.evaluate("document.documentElement.scrollHeight"))
    shot = await page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(colors=64).save(target, optimize=True)


def _asked() -> Order:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description="Pictures of the pages.")
    parser.add_argument("names", nargs="*", metavar="PAGE", help="only these pages")
    parser.add_argument("--into", type=Path, default=FOLDER, metavar="FOLDER", help="where the pictures go")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--size", choices=tuple(WIDTHS), action="append", help="only this one; may be repeated")
    given = parser.parse_args()
    if unknown := set(given.names) - {*PAGES, *OUTSIDE, *NIGHT}:
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    return Order(given.into, tuple(given.names), given.language, tuple(given.size or WIDTHS))


if __name__ == "__main__":
    asyncio.run(main(_asked()))
