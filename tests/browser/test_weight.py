"""What a page takes over the line at the first visit: maps, charts and all. A district's line may be a telephone's."""

from __future__ import annotations

import sys

from playwright.async_api import Request

from tests.browser.visitor import Office
from tests.harness.field import unit_link
from tests.harness.web import Web
from tests.integration.web.test_web_unreached import unreached_alert

MOST = 500_000
"""Bytes of a first load, headers included."""

SIZE = (1366, 768)


async def _weight(office: Office, path: str, name: str | None = None) -> int:
    """Bytes of everything that `path` loads, with nothing kept from before."""
    visitor = await office.visitor(SIZE)
    if name is not None:
        await visitor.sign_in(name)
        kept = await visitor.context.storage_state()
        visitor = await office.visitor(SIZE, storage_state=kept)
    loaded: list[Request] = []
    visitor.page.on("requestfinished", lambda request: loaded.append(request))  # noqa: PLW0108 (it marks its handlers)
    await visitor.go(path)
    await visitor.page.wait_for_load_state("load")
    await visitor.page.wait_for_timeout(500)  # what scripts ask for afterwards: outlines, audience, forecast
    sizes = [await request.sizes() for request in loaded]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


async def test_no_first_load_is_heavier_than_half_a_megabyte(office: Office, web: Web) -> None:
    name = await office.account("officer", "author", "approver", "administrator")
    number = await unreached_alert(web)
    link, _ = await unit_link(web)
    weights = {
        path: await _weight(office, path, name)
        for path in (f"/alerts/{number}", f"/alerts/{number}?view=wall", "/compose", f"/alerts/{number}/report")
    }
    weights |= {path: await _weight(office, path) for path in ("/", "/a", link)}
    for path, weight in weights.items():
        sys.stdout.write(f"{path if path != link else '/r/…'}: {weight / 1000:.0f} kB\n")
    assert {path: weight for path, weight in weights.items() if weight > MOST} == {}
    assert max(weights.values()) > 100_000, "the map and its script were loaded"
