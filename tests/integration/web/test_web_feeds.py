"""The public feed carries exactly what is Actual, Public and issued."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from tests.harness.web import Web

ATOM = "{http://www.w3.org/2005/Atom}"


async def _titles(web: Web) -> list[str]:
    answer = await web.client.get("/feeds/cap.atom")
    assert (answer.status, answer.content_type) == (200, "application/atom+xml")
    return [str(title.text) for title in fromstring(await answer.read()).iterfind(f"{ATOM}entry/{ATOM}title")]


async def test_drafts_drills_and_restricted_alerts_are_not_published(web: Web) -> None:
    await web.draft(headline="草稿")
    await web.issued(headline="演练", status="Exercise")
    await web.issued(headline="内部", scope="Restricted")
    assert await _titles(web) == []
    await web.issued(headline="公开 <b>&")
    assert await _titles(web) == ["公开 <b>&"]


async def test_each_message_of_the_feed_can_be_fetched_as_cap(web: Web) -> None:
    await web.issued()
    feed = fromstring(await (await web.client.get("/feeds/cap.atom")).read())
    link = feed.find(f"{ATOM}entry/{ATOM}link")
    assert link is not None
    answer = await web.client.get(link.attrib["href"].removeprefix("http://127.0.0.1:8480"))
    assert (answer.status, answer.content_type) == (200, "application/cap+xml")
    assert "台风红色预警" in await answer.text()


async def test_a_message_that_is_not_public_does_not_exist(web: Web) -> None:
    number = await web.issued(status="Exercise")
    identifier = await web.value("SELECT identifier FROM alert WHERE id = $1", number)
    for name in (identifier, "nothing", "..%2f..%2fetc%2fpasswd", "%00"):
        assert (await web.client.get(f"/feeds/cap/{name}.xml")).status == 404
