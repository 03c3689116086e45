"""The public pages show exactly what CAP calls Public, and cost little however many look."""

from __future__ import annotations

import asyncio
import gzip
from urllib.parse import quote

import pytest

from broadcaster.web.pages.public import SHELF
from tests.harness.web import DISTRICT, Web


async def _name(web: Web, number: int) -> str:
    return quote(str(await web.value("SELECT identifier FROM alert WHERE id = $1", number)), safe="")


async def test_what_is_in_force_is_listed_and_its_page_says_everything(web: Web) -> None:
    assert "现在没有正在生效的预警" in await (await web.client.get("/a")).text()
    name = await _name(web, await web.issued(headline="台风 <b>红色"))
    web.clock.advance(15)
    listed = await (await web.client.get("/a")).text()
    assert f'href="/a/{name}"' in listed
    text = await (await web.client.get(f"/a/{name}")).text()
    for words in ("台风 &lt;b&gt;红色", "<li>第1镇</li>", "请立即转移到安全地带", "有效至", f"/feeds/cap/{name}.xml"):
        assert words in text
    assert "<b>红色" not in text
    feed = await (await web.client.get("/feeds/cap.atom")).text()
    assert f"/a/{name}" in feed


async def test_restricted_and_private_alerts_and_drafts_do_not_exist(web: Web) -> None:
    numbers = [
        await web.draft(),
        await web.issued(scope="Restricted"),
    ]
    for number in numbers:
        name = await _name(web, number)
        assert (await web.client.get(f"/a/{name}")).status == 404
        assert (await web.client.get(f"/feeds/area/{name}.json")).status == 404
    assert "台风红色预警" not in await (await web.client.get("/a")).text()
    for name in ("x", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000, "%0a"):
        answer = await web.client.get(f"/a/{name}")
        assert answer.status == 404
        assert "正在生效的预警" in await answer.text()


@pytest.mark.parametrize(("status", "word"), [("Exercise", "演练"), ("Test", "测试")])
async def test_an_exercise_and_a_test_are_marked_unmistakably(web: Web, status: str, word: str) -> None:
    name = await _name(web, await web.issued(status=status))
    text = await (await web.client.get(f"/a/{name}")).text()
    assert f"{word} · 这不是真实的险情" in text
    assert f"<title>{word}" in text
    assert "/feeds/cap/" not in text


async def test_the_page_of_a_replaced_alert_leads_to_the_newer_one_and_tells_the_history(web: Web) -> None:
    number = await web.issued()
    first = await _name(web, number)
    assert "经过" not in await (await web.client.get(f"/a/{first}")).text()
    identifier = await web.value("SELECT identifier FROM alert WHERE id = $1", number)
    newer = await web.issued(msg_type="Update", references=[identifier], headline="台风红色预警（更新）")
    web.clock.advance(15)
    second = await _name(web, newer)
    text = await (await web.client.get(f"/a/{first}")).text()
    assert "这条已被新的消息取代" in text
    assert f'href="/a/{second}"' in text
    assert f'href="/a/{first}"' in await (await web.client.get(f"/a/{second}")).text()
    assert first not in await (await web.client.get("/a")).text()


async def test_after_its_time_the_page_says_that_it_is_over(web: Web) -> None:
    name = await _name(web, await web.issued())
    assert "已经结束" not in await (await web.client.get(f"/a/{name}")).text()
    web.clock.advance(13 * 3600)
    assert "已经结束" in await (await web.client.get(f"/a/{name}")).text()


async def test_the_area_is_drawn_from_the_shapes_and_the_regions(web: Web) -> None:
    square = '{"type":"Polygon","coordinates":[[[121.111111,29],[122,29],[122,30],[121.111111,29]]]}'
    await web.value("UPDATE region SET outline = $1::text::jsonb WHERE code = $2", square, DISTRICT)
    name = await _name(web, await web.issued())
    answer = await web.client.get(f"/feeds/area/{name}.json")
    assert answer.content_type == "application/geo+json"
    features = (await answer.json())["features"]
    roles = [(one["properties"]["role"], one["properties"]["name"], one["geometry"]["type"]) for one in features]
    assert roles == [("ground", "鄞州区", "Polygon"), ("area", "第1镇", "Point")]
    assert features[0]["geometry"]["coordinates"][0][0] == [121.1111, 29.0]


async def test_caches_may_keep_the_pages_and_languages_have_addresses_of_their_own(web: Web) -> None:
    name = await _name(web, await web.issued())
    answer = await web.client.get(f"/a/{name}", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    assert answer.headers["Cache-Control"] == "public, max-age=15"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer.headers
    assert "台风" in gzip.decompress(await answer.read()).decode()
    tag = answer.headers["ETag"]
    again = await web.client.get(f"/a/{name}", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status, await again.read()) == (304, b"")
    english = await web.client.get(f"/a/{name}?lang=en", headers={"Accept-Encoding": "identity"})
    assert english.headers["ETag"] != tag
    assert "Content-Encoding" not in english.headers
    text = await english.text()
    assert "Warnings in force" in text
    assert "/a?lang=en" in text


async def test_however_many_look_a_page_is_made_once(web: Web) -> None:
    name = await _name(web, await web.issued())
    shelf = web.client.app[SHELF]
    answers = await asyncio.gather(*(web.client.get(f"/a/{name}") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert shelf.made == 1
    await asyncio.gather(*(web.client.get("/a/nothing") for _ in range(50)))
    assert shelf.made == 2
    for place in range(600):
        await web.client.get(f"/a/nothing-{place}")
    assert len(shelf) <= 500
