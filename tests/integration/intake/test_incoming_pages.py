"""What an officer sees of received messages and does about them; how administrators see the sources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from broadcaster.alerts.alert import Area
from tests.contract.test_source_kinds import push
from tests.harness.alerts import NOW
from tests.harness.console import Console, signed_in
from tests.harness.desk import Desk
from tests.harness.warnings import foreign, xml
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def desk(web: Web) -> Desk:
    return Desk(web)


@pytest.fixture
async def officer(web: Web) -> Console:
    return await signed_in(web, "officer", ("author", DISTRICT))


async def test_what_waits_is_on_the_start_page_and_in_the_list(desk: Desk, officer: Console) -> None:
    await officer.get("/alerts")
    assert "待处理" not in officer.text
    message = await desk.receive(foreign(), "teller")
    await officer.get("/alerts")
    assert "收到的消息有 1 条待处理" in officer.text
    await officer.get("/incoming?state=waiting&source=teller")
    assert f"/incoming/{message.id}" in officer.text
    assert "鄞州区发布台风红色预警" in officer.text
    for other in ("/incoming?state=refused", "/incoming?source=national", f"/incoming?before={message.id}"):
        await officer.get(other)
        assert f'href="/incoming/{message.id}"' not in officer.text, other


async def test_a_message_shows_its_reasons_and_its_text_escaped(desk: Desk, officer: Console) -> None:
    document = xml(foreign()).replace(b"<scope>Public</scope>", f"<!-- {SCRIPT} -->".encode())
    message = await desk.receive(document)
    answer = await officer.get(f"/incoming/{message.id}")
    assert "缺少 &lt;scope&gt;" in await answer.text() or "缺少 <scope>" in officer.text
    assert SCRIPT not in await answer.text()
    assert "用它起草" not in officer.text


async def test_a_draft_is_made_once_in_the_officers_name(desk: Desk, officer: Console) -> None:
    message = await desk.receive(foreign(), "teller")
    await officer.get(f"/incoming/{message.id}")
    first = await officer.post(f"/incoming/{message.id}/draft")
    again = await officer.post(f"/incoming/{message.id}/draft")
    assert first.status == again.status == 303
    assert first.headers["Location"] == again.headers["Location"]
    answer = await officer.get(first.headers["Location"])
    assert answer.status == 200
    assert "鄞州区发布台风红色预警" in officer.text
    await officer.get(f"/incoming/{message.id}")
    assert "打开草稿" in officer.text
    assert (await desk.one(message.id)).handled_by == "officer"


async def test_what_is_set_aside_waits_no_longer(desk: Desk, officer: Console) -> None:
    message = await desk.receive(foreign(), "teller")
    await officer.get(f"/incoming/{message.id}")
    answer = await officer.post(f"/incoming/{message.id}/aside")
    assert answer.headers["Location"].startswith("/incoming?")
    assert (await desk.one(message.id)).state == "done"
    assert (await officer.post(f"/incoming/{message.id}/aside")).status == 409
    assert await desk.value("SELECT count(*) FROM audit_entry WHERE action = 'incoming.aside'") == 1


async def test_a_message_without_a_place_can_be_drafted_and_the_area_is_chosen_then(
    desk: Desk, officer: Console
) -> None:
    message = await desk.receive(foreign(area=Area("东部沿海")))
    assert message.state == "waiting"
    await officer.get(f"/incoming/{message.id}")
    answer = await officer.post(f"/incoming/{message.id}/draft")
    assert (await officer.get(answer.headers["Location"])).status == 200


async def test_a_neighbour_sees_nothing_and_a_viewer_changes_nothing(desk: Desk, web: Web) -> None:
    message = await desk.receive(foreign(regions=(TOWN,)), "teller")
    neighbour = await signed_in(web, "neighbour", ("author", OTHER_TOWN))
    assert (await neighbour.get(f"/incoming/{message.id}")).status == 404
    await neighbour.get("/incoming")
    assert "台风红色预警" not in neighbour.text
    assert (await neighbour.post(f"/incoming/{message.id}/draft")).status == 404
    viewer = await signed_in(web, "viewer", ("viewer", DISTRICT))
    assert (await viewer.get(f"/incoming/{message.id}")).status == 200
    assert "用它起草" not in viewer.text
    assert (await viewer.post(f"/incoming/{message.id}/draft")).status == 403


async def test_the_pages_speak_english(desk: Desk, officer: Console) -> None:
    message = await desk.receive(foreign(), "teller")
    await officer.get("/incoming?lang=en")
    assert "Received messages" in officer.text
    await officer.get(f"/incoming/{message.id}")
    assert "Make a draft of it" in officer.text


async def test_reasons_and_what_became_of_it_are_told_in_the_readers_language(desk: Desk, officer: Console) -> None:
    broken = xml(foreign("QX_2")).replace(b"<scope>Public</scope>", b"<urgency>Soon</urgency>")
    refused = await desk.receive(broken)
    await officer.get(f"/incoming/{refused.id}?lang=en")
    assert "<alert> lacks <scope>" in officer.text or "&lt;alert&gt; lacks &lt;scope&gt;" in officer.text
    await officer.get("/incoming?lang=zh")
    await desk.receive(foreign())
    again = await desk.receive(xml(foreign()).replace(b"<info>", b"<!-- again --><info>"), "teller")
    await officer.get(f"/incoming/{again.id}?lang=en")
    assert f"The same as number {again.same_as}" in officer.text
    await officer.get("/incoming?lang=en")
    assert f"The same as number {again.same_as}" in officer.text
    answer = await desk.web.ask("GET", f"/api/v1/incoming/{refused.id}")
    assert all("schema：第" in one for one in (await answer.json())["message"]["reasons"])
    odd = await desk.value("SELECT words->'reasons'->0->>'template' FROM incoming WHERE id = $1", refused.id)
    assert odd == "%(topic)s：第 %(line)s 行：%(text)s"
    await desk.value("UPDATE incoming SET words = NULL")  # what was judged before reasons were kept so
    await officer.get(f"/incoming/{again.id}?lang=en")
    assert again.note in officer.text


async def test_a_source_hands_in_over_the_api_and_reads_what_became_of_it(web: Web, desk: Desk) -> None:
    headers = {"Content-Type": "application/cap+xml"}
    answer = await web.ask("POST", "/api/v1/incoming?source=drafter", data=xml(foreign()), headers=headers)
    assert answer.status == 202, await answer.text()
    taken = await answer.json()
    assert (taken["offered"], len(taken["new"])) == (1, 1)
    again = await web.ask("POST", "/api/v1/incoming?source=drafter", json={"document": xml(foreign()).decode()})
    assert (await again.json()) == {"offered": 1, "new": []}
    await desk.settle()
    found = await (await web.ask("GET", f"/api/v1/incoming/{taken['new'][0]}")).json()
    assert (found["message"]["state"], found["message"]["regions"]) == ("drafted", [TOWN])
    assert found["document"] == xml(foreign()).decode()
    listed = await (await web.ask("GET", "/api/v1/incoming?state=drafted&source=drafter")).json()
    assert [one["id"] for one in listed["messages"]] == taken["new"]


async def test_a_service_pushes_to_its_own_address(web: Web, desk: Desk) -> None:
    now = datetime.now(UTC)  # by which pushes are judged
    answer = await web.client.post("/callbacks/caiyun", data=push(at=now))
    assert answer.status == 200, await answer.text()
    again = await web.client.post("/callbacks/caiyun", data=push(at=now))
    assert again.status == 200
    await desk.settle()
    rows = await web.value("SELECT array_agg(state || ' ' || identifier) FROM incoming")
    assert len(rows) == 1
    assert (await web.client.post("/callbacks/caiyun", data=push(token="another token", at=now))).status == 401
    assert (await web.client.post("/callbacks/caiyun", data=b"{}")).status == 400
    assert (await web.client.post("/callbacks/teller", data=push(at=now))).status == 404


@pytest.mark.parametrize(
    ("source", "body", "status"),
    [
        ("nobody", "<alert/>", 404),
        ("drafter", "<html/>", 400),
        ("drafter", "not xml", 400),
        ("drafter", "<!DOCTYPE a [<!ENTITY b 'c'>]><alert>&b;</alert>", 400),
        ("drafter", '<rss version="2.0"><channel/></rss>', 400),
    ],
)
async def test_what_is_no_message_is_not_taken(web: Web, source: str, body: str, status: int) -> None:
    answer = await web.ask("POST", f"/api/v1/incoming?source={source}", data=body, headers={"Content-Type": "text/xml"})
    assert answer.status == status
    assert await web.value("SELECT count(*) FROM incoming") == 0


async def test_only_who_writes_for_the_whole_district_may_hand_in(web: Web) -> None:
    options: dict[str, Any] = {"data": xml(foreign()), "headers": {"Content-Type": "application/cap+xml"}}
    for role, region in (("author", TOWN), ("viewer", DISTRICT)):
        assert (await web.ask("POST", "/api/v1/incoming?source=drafter", role, region, **options)).status == 403


async def test_how_sources_fare_is_for_administrators(desk: Desk, web: Web, officer: Console) -> None:
    assert (await officer.get("/sources")).status == 403
    administrator = await signed_in(web, "administrator", ("administrator", DISTRICT))
    await web.value(
        "INSERT INTO source_state (name, next_at, failures, trouble, reason, remarks, since, visited_at)"
        " VALUES ('teller', $1, 3, 'busy', 'HTTP 503', '{}', $1, $1)",
        NOW,
    )
    await desk.receive(foreign(), "teller")
    await administrator.get("/sources")
    assert "HTTP 503" in administrator.text
    assert "对方繁忙" in administrator.text
    assert "/incoming?source=teller&state=waiting" in administrator.text
    await administrator.get("/sources?lang=en")
    assert "Busy" in administrator.text
    web.clock.advance(60)
    await web.value("UPDATE source_state SET next_at = $1", NOW.replace(year=2027))
    assert (await administrator.post("/sources/teller/visit")).status == 303
    assert await web.value("SELECT next_at FROM source_state") == web.clock.now()
    assert (await administrator.post("/sources/nobody/visit")).status == 404
