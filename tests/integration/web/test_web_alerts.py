"""Alerts over the API: authored, moved along, replaced, and each only by who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broadcaster.doorbell import WORK
from tests.harness.warnings import foreign, xml
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web, form

POLYGON = [
    [121.4, 29.7],
    [121.6, 29.7],
    [121.6, 29.9],
    [121.4, 29.9],
    [121.4, 29.7],
]  # round the first town's households


async def test_an_alert_goes_from_json_to_issued(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}")
    assert answer.status == 200
    detail = await answer.json()
    assert detail["summary"]["state"] == "issued"
    assert detail["regions"] == [TOWN]
    assert detail["alert"]["infos"][0]["headline"] == "台风红色预警"
    assert web.bells.rung == [WORK]


async def test_creating_answers_where_the_alert_is(web: Web) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", json=form())
    body = await answer.json()
    assert (answer.status, body["state"]) == (201, "draft")
    assert body["identifier"].startswith(DISTRICT)
    assert answer.headers["Location"] == f"/api/v1/alerts/{body['id']}"


async def test_cap_xml_is_accepted_and_comes_out_again(web: Web) -> None:
    number = await web.issued()
    identifier = (await (await web.ask("GET", f"/api/v1/alerts/{number}")).json())["summary"]["identifier"]
    written = await (await web.client.get(f"/feeds/cap/{identifier}.xml")).read()
    again = written.replace(identifier.encode(), b"NBO-1")
    answer = await web.ask("POST", "/api/v1/alerts", data=again, headers={"Content-Type": "application/cap+xml"})
    assert answer.status == 201, await answer.text()
    assert (await answer.json())["identifier"] == "NBO-1"
    repeated = await web.ask("POST", "/api/v1/alerts", data=again, headers={"Content-Type": "application/cap+xml"})
    assert (await repeated.json())["id"] == (await answer.json())["id"]


async def test_cap_that_is_posted_is_listed_with_what_came_in(web: Web) -> None:
    cap = {"Content-Type": "application/cap+xml"}
    document = xml(foreign("NBO-2"))
    answers = [await web.ask("POST", "/api/v1/alerts", data=document, headers=cap) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    number = (await answers[0].json())["id"]
    again = document.replace("红色".encode(), "蓝色".encode())  # the same name, sender and time: the first one stands
    assert (await (await web.ask("POST", "/api/v1/alerts", data=again, headers=cap)).json())["id"] == number
    other = document.replace(b"qxj@example.cn", b"other@example.cn")
    key = {**cap, "Idempotency-Key": "one"}
    for headers in (cap, key):
        assert (await web.ask("POST", "/api/v1/alerts", data=other, headers=headers)).status == 409
    broken = b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'></alert>"
    assert (await web.ask("POST", "/api/v1/alerts", data=broken, headers=cap)).status == 400
    elsewhere = xml(foreign("NBO-3", regions=("110101",)))
    assert (await web.ask("POST", "/api/v1/alerts", data=elsewhere, headers=cap)).status == 403
    await web.ask("POST", "/api/v1/alerts", json=form())
    answer = await web.ask("GET", "/api/v1/incoming?source=api:alerts", headers={"Accept-Language": "en"})
    messages = (await answer.json())["messages"][::-1]
    assert [one["state"] for one in messages] == ["drafted", "refused", "refused", "refused"]
    assert (messages[0]["alert_id"], messages[0]["identifier"]) == (number, "NBO-2")
    assert messages[0]["note"] == f"Posted over the interface by author-{DISTRICT}; it is alert {number}"
    assert all(one["reasons"] for one in messages[1:])
    assert "NBO-2" in messages[1]["reasons"][0]
    assert messages[1]["reasons"][0].isascii()


async def test_a_real_cap_message_is_accepted(web: Web, shared: Path) -> None:
    document = (shared / "data/cap/valid/cap12/wmo_cn_valid.xml").read_bytes()
    answer = await web.ask(
        "POST", "/api/v1/alerts", region="", data=document, headers={"Content-Type": "application/cap+xml"}
    )
    assert answer.status == 201, await answer.text()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><l>&b;</l>",
        b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'></alert>",
        b"<a>" * 20_000,
        "<alert>\ud800</alert>".encode("utf-8", "surrogatepass"),
    ],
)
async def test_hostile_or_broken_xml_is_refused_and_nothing_is_kept(web: Web, document: bytes) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", data=document, headers={"Content-Type": "application/cap+xml"})
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"
    assert "root:" not in await answer.text()
    assert await web.value("SELECT count(*) FROM alert") == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hazard": "locusts"}, "hazard"),
        ({"colour": "purple"}, "colour"),
        ({"regions": ["33021"]}, "regions"),
        ({"surprise": 1}, "surprise"),
        ({"headline": "a\u0000b"}, "headline"),
        ({"sent": "2026-07-01T08:00:00"}, "sent"),
    ],
)
async def test_a_bad_field_is_named(web: Web, change: dict[str, Any], named: str) -> None:
    answer = await web.ask("POST", "/api/v1/alerts", json=form(**change))
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (400, "bad-input")
    assert named in problem["detail"]


async def test_an_alert_outside_the_authors_region_is_forbidden(web: Web) -> None:
    for regions in ([OTHER_TOWN], [TOWN, OTHER_TOWN], [DISTRICT], ["330213"], ["110000"]):
        answer = await web.ask("POST", "/api/v1/alerts", region=TOWN, json=form(regions=regions))
        assert answer.status == 403, regions
    assert (await web.ask("POST", "/api/v1/alerts", region=TOWN, json=form(regions=[TOWN + "001"]))).status == 201


async def test_a_drawn_area_counts_by_the_villages_under_it(web: Web) -> None:
    drawn = form(regions=[], areas=[{"description": "沿江", "polygons": [POLYGON]}])
    assert (await web.ask("POST", "/api/v1/alerts", region=OTHER_TOWN, json=drawn)).status == 403
    assert (await web.ask("POST", "/api/v1/alerts", region=TOWN, json=drawn)).status == 201


async def test_an_alert_without_any_area_needs_the_whole_district(web: Web) -> None:
    assert (await web.ask("POST", "/api/v1/alerts", region=TOWN, json=form(regions=[]))).status == 403
    assert (await web.ask("POST", "/api/v1/alerts", json=form(regions=[]))).status == 201


async def test_an_alert_of_another_region_does_not_exist_for_the_caller(web: Web) -> None:
    number = await web.draft()
    for path in ("", "/progress", "/deliveries", "/unreached", "/unreached.csv", "/units", "/events"):
        answer = await web.ask("GET", f"/api/v1/alerts/{number}{path}", region=OTHER_TOWN)
        assert answer.status == 404, path
    for step in ("submit", "issue", "cancel"):
        assert (await web.ask("POST", f"/api/v1/alerts/{number}/{step}", region=OTHER_TOWN, json={})).status == 404
    listed = await (await web.ask("GET", "/api/v1/alerts", region=OTHER_TOWN)).json()
    assert listed["alerts"] == []
    assert len((await (await web.ask("GET", "/api/v1/alerts", region=TOWN)).json())["alerts"]) == 1


async def test_a_role_without_the_right_is_forbidden(web: Web) -> None:
    number = await web.draft()
    asked = [
        ("viewer", "POST", "/api/v1/alerts", form()),
        ("administrator", "POST", "/api/v1/alerts", form()),
        ("viewer", "POST", f"/api/v1/alerts/{number}/submit", {}),
        ("author", "POST", f"/api/v1/alerts/{number}/approve", {"version": 1}),
        ("author", "POST", f"/api/v1/alerts/{number}/reject", {"reason": "no"}),
        ("viewer", "POST", f"/api/v1/alerts/{number}/issue", {}),
        ("approver", "POST", f"/api/v1/alerts/{number}/update", form()),
        ("viewer", "POST", "/api/v1/replies", {"channel": "sms", "rehearsal": False, "replies": []}),
    ]
    for role, method, path, body in asked:
        answer = await web.ask(method, path, role, json=body)
        assert answer.status in (400, 403), (role, path)
        assert answer.status == 403 or "replies" in path, (role, path)
    for path in ("deliveries", "unreached", "unreached.csv", "units"):
        assert (await web.ask("GET", f"/api/v1/alerts/{number}/{path}", "viewer")).status == 403
    assert (await web.ask("GET", f"/api/v1/alerts/{number}/progress", "viewer")).status == 200


async def test_a_town_leader_sees_a_county_alert_but_may_not_touch_it(web: Web) -> None:
    number = await web.draft(regions=[DISTRICT])
    assert (await web.ask("GET", f"/api/v1/alerts/{number}", region=TOWN)).status == 200
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/submit", region=TOWN, json={})).status == 403


async def test_an_approval_is_of_the_version_that_was_seen(web: Web) -> None:
    number = await web.draft()
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    stale = await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 1})
    assert (stale.status, (await stale.json())["code"]) == (409, "conflict")
    missing = await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={})
    assert missing.status == 400


async def test_issuing_another_version_than_was_seen_changes_nothing(web: Web) -> None:
    number = await web.draft()
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 2})
    answer = await web.ask("POST", f"/api/v1/alerts/{number}/issue", json={"version": 2})
    assert answer.status == 409
    assert await web.value("SELECT state FROM alert WHERE id = $1", number) == "approved"
    assert await web.value("SELECT count(*) FROM run") == 0
    assert web.bells.rung == []


async def test_an_incomplete_draft_is_told_everything_it_lacks(web: Web) -> None:
    number = await web.draft(instruction="", valid_hours=None)
    answer = await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "rule")
    assert "行动" in problem["detail"]
    assert "失效时间" in problem["detail"]


async def test_a_rejected_alert_goes_back_with_the_reason(web: Web) -> None:
    number = await web.draft()
    await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})
    answer = await web.ask("POST", f"/api/v1/alerts/{number}/reject", "approver", json={"reason": "区域不对"})
    assert (await answer.json())["state"] == "rejected"
    assert (await (await web.ask("GET", f"/api/v1/alerts/{number}")).json())["rejection"] == "区域不对"


async def test_an_update_and_a_cancel_follow_in_the_lineage(web: Web) -> None:
    first = await web.issued()
    update = await web.ask("POST", f"/api/v1/alerts/{first}/update", json=form(headline="台风红色预警（更新）"))
    assert update.status == 201, await update.text()
    second = (await update.json())["id"]
    await _issue(web, second)
    superseded = await (await web.ask("GET", f"/api/v1/alerts/{first}")).json()
    assert superseded["summary"]["superseded_by"] == (await update.json())["identifier"]
    cancel = await web.ask("POST", f"/api/v1/alerts/{second}/cancel", json={"description": "台风已远离。"})
    assert cancel.status == 201, await cancel.text()
    third = (await cancel.json())["id"]
    await _issue(web, third)
    detail = await (await web.ask("GET", f"/api/v1/alerts/{third}")).json()
    assert (detail["summary"]["msg_type"], detail["summary"]["kind"]) == ("Cancel", "all_clear")
    assert detail["summary"]["lineage"] == superseded["summary"]["identifier"]


async def _issue(web: Web, number: int) -> None:
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/submit", json={})).status == 200
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/approve", "approver", json={"version": 2})).status == 200
    issue = await web.ask("POST", f"/api/v1/alerts/{number}/issue", json={})
    assert issue.status == 200, await issue.text()


async def test_only_an_issued_alert_can_be_updated_or_cancelled(web: Web) -> None:
    number = await web.draft()
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/cancel", json={})).status == 422
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/update", json=form())).status == 422


async def test_the_list_pages_backwards(web: Web) -> None:
    numbers = [await web.draft(headline=f"第{number}条") for number in range(5)]
    seen: list[int] = []
    before = ""
    while True:
        answer = await (await web.ask("GET", f"/api/v1/alerts?limit=2{before}")).json()
        seen += [alert["id"] for alert in answer["alerts"]]
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    assert seen == numbers[::-1]
    drafts = await (await web.ask("GET", "/api/v1/alerts?state=issued")).json()
    assert drafts["alerts"] == []


async def test_who_did_what_is_in_the_audit_trail(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/audit", "approver")
    entries = (await answer.json())["entries"]
    assert [entry["action"] for entry in entries] == ["alert.create", "alert.submit", "alert.approve", "alert.issue"]
    author, approver = entries[0]["account_id"], entries[2]["account_id"]
    assert [entry["account_id"] for entry in entries] == [author, author, approver, author]
    assert author != approver
    first = await (await web.ask("GET", f"/api/v1/alerts/{number}/audit?limit=2", "approver")).json()
    rest = await (await web.ask("GET", f"/api/v1/alerts/{number}/audit?after={first['next']}", "approver")).json()
    assert first["entries"] + rest["entries"] == entries
    assert (await web.ask("GET", f"/api/v1/alerts/{number}/audit")).status == 403


async def test_a_wrong_query_is_told_in_words_and_every_part_of_it(web: Web) -> None:
    number = await web.draft()
    path = f"/api/v1/alerts/{number}/doors?limit=5000&region=x&windw=1"
    said = (await (await web.ask("GET", path)).json())["detail"]
    assert "limit 现为 “5000”，应为：1 到 1000 的整数" in said
    assert "没有名为 windw 的键" in said
    assert "region 现为 “x”" in said
    assert "Expected" not in said
    english = (await (await web.ask("GET", path, headers={"Accept-Language": "en"})).json())["detail"]
    assert "limit is “5000”, wanted: a whole number from 1 to 1000" in english
