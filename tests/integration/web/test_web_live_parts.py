"""The line behind a live page: what has changed, in the reader's language and within their rights; and the map."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

from aiohttp import ClientResponse

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, fold, write
from tests.harness.web import DISTRICT, TOWN, Web
from tests.integration.web.test_web_unreached import SCRIPT, sign_in

_EVENTS = re.compile(r'data-events="([^"]+)"')


async def _parts(answer: ClientResponse) -> AsyncIterator[dict[str, str]]:
    async for raw in answer.content:
        if raw.startswith(b"data: "):
            yield json.loads(raw[6:])


async def _next(web: Web, parts: AsyncIterator[dict[str, str]]) -> dict[str, str]:
    """The next event; time passes on the server until it comes."""
    waiting = asyncio.ensure_future(anext(parts))
    async with asyncio.timeout(60):
        while not waiting.done():
            web.clock.advance(1)
            await asyncio.wait({waiting}, timeout=0.05)
    return await waiting


async def _open(web: Web, page: str) -> ClientResponse:
    """The line that a page says it wants."""
    text = await (await web.client.get(page)).text()
    answer = await web.client.get(_EVENTS.findall(text)[0].replace("&amp;", "&"))
    assert answer.content_type == "text/event-stream"
    return answer


async def _delivered(web: Web, number: int, ordinal: int) -> None:
    now = web.clock.now()
    await write(web.database, "w", [Event(number, ordinal, 1, DeliveryState.DELIVERED, None, None, None, now)])
    await fold(web.database, now)


async def test_only_the_parts_that_changed_are_sent(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    await sign_in(web)
    answer = await _open(web, f"/alerts/{number}")
    parts = _parts(answer)
    first = await _next(web, parts)
    assert json.loads(first["shares"])[f"{TOWN}001"] == [3, 0, 0]
    await _delivered(web, number, 0)
    assert set(await _next(web, parts)) == {"figures", "channels"}, "the map and its list come a little later"
    answer.close()


async def test_each_gets_their_language_and_no_more_than_their_rights(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    await sign_in(web, "viewer")
    answer = await web.client.get(f"/alerts/{number}/live?lang=en")
    news = await _next(web, _parts(answer))
    assert "Reached" in news["figures"]
    assert "书记" not in "".join(news.values())
    assert "unit-list" not in news["units"]
    answer.close()
    await sign_in(web, "author")
    answer = await web.client.get(f"/alerts/{number}/live?view=wall")
    news = await _next(web, _parts(answer))
    assert "<form" not in "".join(news.values())
    assert "unit-list" not in news["units"]
    answer.close()


async def test_the_forms_that_come_over_the_line_carry_the_readers_own_token(web: Web) -> None:
    number = await web.issued()
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO help_request (alert_id, response_id, region, address, text, created_at)"
            " VALUES ($1, 1, '', '', $2, $3)",
            number,
            SCRIPT,
            web.clock.now(),
        )
    await sign_in(web)
    page = await (await web.client.get(f"/alerts/{number}")).text()
    [token, *_] = re.findall(r'name="form_token" value="([^"]+)"', page)
    answer = await web.client.get(f"/alerts/{number}/live")
    news = await _next(web, _parts(answer))
    assert token in news["helps"]
    assert SCRIPT not in news["helps"]
    answer.close()


async def test_the_map_has_outlines_where_there_are_and_points_elsewhere(web: Web) -> None:
    number = await web.issued(regions=[DISTRICT])
    await web.fan_out()
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE region SET outline = $1::text::jsonb WHERE code = $2",
            '{"type": "Polygon", "coordinates": [[[121.123456789, 29.7], [121.6, 29.7], [121.6, 29.9], [121.1, 29]]]}',
            f"{TOWN}001",
        )
        await connection.execute("UPDATE region SET lon = NULL WHERE code = $1", f"{TOWN}002")
    await sign_in(web, "viewer")
    answer = await web.client.get(f"/alerts/{number}/map.json")
    assert answer.content_type == "application/geo+json"
    found = {each["id"]: each for each in json.loads(await answer.read())["features"]}
    assert len(found) == 4
    assert found[f"{TOWN}001"]["geometry"]["type"] == "Polygon"
    assert found[f"{TOWN}001"]["geometry"]["coordinates"][0][0] == [121.12346, 29.7]
    assert found[f"{TOWN}002"]["geometry"] is None
    grids = json.loads(await (await web.client.get(f"/alerts/{number}/map.json?village={TOWN}001")).read())["features"]
    assert [(each["id"], each["properties"]["counts"]) for each in grids] == [(f"{TOWN}001001", [3, 0, 0])]
    for village in ("x", TOWN, ""):
        assert (await web.client.get(f"/alerts/{number}/map.json?village={village}")).status == 400, village
