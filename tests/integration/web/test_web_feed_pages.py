"""What others take from us: valid by the standard's schema, read by a reader that nobody here wrote, in pages."""

from __future__ import annotations

from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
import xmlschema

from adapters.cap.message import judge
from adapters.cap.sign import SignedFormat
from adapters.cap.trust import Anchors
from broadcaster.alerts.alert import MsgType
from broadcaster.sources import Signature, SignaturePolicy
from broadcaster.web.context import Context
from tests.harness.web import TOWN, Make, Web
from tests.harness.xmlsec import signer

BASE = "http://127.0.0.1:8480"


@pytest.fixture(scope="module")
def schema(shared: Path) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(shared / "data" / "cap" / "schema" / "CAP-v1.2.xsd"))


async def get(web: Web, address: str, **headers: str) -> tuple[int, Any, bytes]:
    answer = await web.client.get(address.removeprefix(BASE), headers=headers)
    return answer.status, answer.headers, await answer.read()


async def lineage(web: Web) -> list[int]:
    """An alert, its Update and its Cancel, all of them out."""
    numbers = [await web.issued(headline="首发")]
    for deed, body in (("update", {"headline": "更新", "regions": [TOWN]}), ("cancel", {})):
        made = {"hazard": "typhoon", "colour": "red", "instruction": "i", "description": "d", "valid_hours": 3, **body}
        answer = await web.ask(
            "POST", f"/api/v1/alerts/{numbers[-1]}/{deed}", json=made if deed == "update" else {"headline": "解除"}
        )
        assert answer.status == 201, await answer.text()
        number = (await answer.json())["id"]
        web.clock.advance(60)
        for step, asked in (("submit", {}), ("approve", {"version": 2}), ("issue", {})):
            role = "approver" if step == "approve" else "author"
            done = await web.ask("POST", f"/api/v1/alerts/{number}/{step}", role, json=asked)
            assert done.status == 200, (deed, step, await done.text())
        numbers.append(number)
    return numbers


async def test_every_message_is_valid_and_the_feed_is_read_by_a_reader_of_its_own(
    web: Web, schema: xmlschema.XMLSchema
) -> None:
    await lineage(web)
    _, _, body = await get(web, "/feeds/cap.atom")
    feed = feedparser.parse(body)
    assert not feed.bozo
    assert [entry.tags[0].term for entry in feed.entries] == ["Cancel", "Update", "Alert"]
    for entry in feed.entries:
        assert entry.updated_parsed
        link = next(one for one in entry.links if one.type == "application/cap+xml")
        status, headers, document = await get(web, link.href)
        assert (status, headers["Content-Type"]) == (200, "application/cap+xml")
        schema.validate(document.decode())
        judged = judge(document, SignaturePolicy.IGNORE, Anchors(), web.clock.now())
        assert judged.alert is not None
        assert judged.alert.msg_type == MsgType(entry.tags[0].term)
        assert bool(judged.alert.references) == (judged.alert.msg_type is not MsgType.ALERT)


async def test_with_a_key_every_message_is_signed_and_still_valid(
    make_web: Make, context: Context, schema: xmlschema.XMLSchema, tmp_path: Path
) -> None:
    by = signer(tmp_path, "us")
    web = await make_web(replace(context, cap=SignedFormat.of(by.key_file, by.file)))
    await web.issued()
    _, _, body = await get(web, "/feeds/cap.atom")
    address = feedparser.parse(body).entries[0].id
    _, headers, document = await get(web, address)
    schema.validate(document.decode())
    judged = judge(document, SignaturePolicy.REQUIRE, Anchors.read("t", [by.file]), web.clock.now())
    assert judged.signature is Signature.GOOD, judged.reasons
    status, _, _ = await get(web, address, **{"If-None-Match": headers["ETag"]})
    assert status == 304


async def test_what_has_not_changed_is_not_sent_again(web: Web) -> None:
    await web.issued()
    _, _, body = await get(web, "/feeds/cap.atom")
    for address in ("/feeds/cap.atom", feedparser.parse(body).entries[0].id):
        _, headers, _ = await get(web, address)
        status, _, nothing = await get(web, address, **{"If-None-Match": headers["ETag"]})
        assert (status, nothing) == (304, b"")
        assert (await get(web, address, **{"If-None-Match": '"other"'}))[0] == 200
    dated = {"If-Modified-Since": headers["Last-Modified"]}
    assert (await get(web, address, **dated))[0] == 304
    other = {"If-None-Match": '"other"', **dated}
    assert (await get(web, address, **other))[0] == 200


async def test_of_two_messages_of_one_second_the_second_is_seen(web: Web) -> None:
    await web.issued()
    _, before, _ = await get(web, "/feeds/cap.atom")
    await web.issued(headline="又一条")
    dated = {"If-Modified-Since": format_datetime(web.clock.now(), usegmt=True)}
    for known in ({"If-None-Match": before["ETag"]}, dated):
        assert (await get(web, "/feeds/cap.atom", **known))[0] == 200


async def test_older_messages_are_on_further_pages(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcaster.web.feeds._LONGEST", 2)
    for number in range(5):
        await web.issued(headline=f"第{number}条")
        await web.issued(headline="演练", status="Exercise")
        web.clock.advance(1)
    titles, address = [], "/feeds/cap.atom"
    while address:
        _, _, body = await get(web, address)
        feed = feedparser.parse(body)
        titles += [entry.title for entry in feed.entries]
        links = {link.rel: link.href for link in feed.feed.links}
        assert links["first"] == f"{BASE}/feeds/cap.atom"
        assert links["self"].removeprefix(BASE) == address
        address = links.get("next", "").removeprefix(BASE)
    assert titles == [f"第{number}条" for number in (4, 3, 2, 1, 0)]
    for nonsense, status in (("x", 400), ("999999", 404), ("-1", 400)):
        assert (await get(web, f"/feeds/cap.atom?before={nonsense}"))[0] == status
