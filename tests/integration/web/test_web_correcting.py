"""What went wrong can be put right over the API: a draft is corrected or recalled, an alert is ended by hand."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientResponse

from broadcaster.doorbell import WORK
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web, form


async def _step(web: Web, number: int, step: str, role: str = "author", **body: Any) -> dict[str, Any]:
    answer = await web.ask("POST", f"/api/v1/alerts/{number}/{step}", role, json=body)
    assert answer.status == 200, await answer.text()
    done: dict[str, Any] = await answer.json()
    return done


async def _edit(
    web: Web, number: int, version: int, role: str = "author", region: str = DISTRICT, **fields: Any
) -> ClientResponse:
    return await web.ask(
        "PUT", f"/api/v1/alerts/{number}", role, region, params={"version": str(version)}, json=form(**fields)
    )


async def test_a_rejected_alert_is_corrected_and_goes_out(web: Web) -> None:
    number = await web.draft(headline="台风橙色预警")
    await _step(web, number, "submit")
    await _step(web, number, "reject", "approver", reason="标题不对")

    answer = await _edit(web, number, 3)
    assert answer.status == 200, await answer.text()
    edited = await answer.json()
    assert (edited["state"], edited["version"], edited["headline"]) == ("draft", 4, "台风红色预警")
    await _step(web, number, "submit")
    await _step(web, number, "approve", "approver", version=5)
    assert (await _step(web, number, "issue"))["state"] == "issued"
    trail = await (await web.ask("GET", f"/api/v1/alerts/{number}/audit", "approver")).json()
    assert [entry["action"] for entry in trail["entries"]][3:] == [
        "alert.edit",
        "alert.submit",
        "alert.approve",
        "alert.issue",
    ]


async def test_what_somebody_else_has_changed_is_not_overwritten(web: Web) -> None:
    number = await web.draft()
    assert (await _edit(web, number, 1, headline="第一次修改")).status == 200
    late = await _edit(web, number, 1, headline="第二次修改")
    assert (late.status, (await late.json())["code"]) == (409, "conflict")
    detail = await (await web.ask("GET", f"/api/v1/alerts/{number}")).json()
    assert detail["summary"]["headline"] == "第一次修改"
    unread = await web.ask("PUT", f"/api/v1/alerts/{number}", json=form())
    assert unread.status == 400


async def test_who_corrects_an_alert_must_cover_its_old_area_and_its_new_one(web: Web) -> None:
    number = await web.draft()
    assert (await _edit(web, number, 1, region=OTHER_TOWN, regions=[OTHER_TOWN])).status == 404
    assert (await _edit(web, number, 1, region=TOWN, regions=[TOWN, OTHER_TOWN])).status == 403
    assert (await _edit(web, number, 1, "approver")).status == 403
    assert await web.value("SELECT version FROM alert WHERE id = $1", number) == 1
    assert (await _edit(web, number, 1, region=TOWN, regions=[TOWN + "001"])).status == 200


async def test_only_what_is_not_under_way_can_be_corrected(web: Web) -> None:
    number = await web.draft()
    await _step(web, number, "submit")
    assert (await _edit(web, number, 2)).status == 422
    issued = await web.issued()
    assert (await _edit(web, issued, 4)).status == 422


async def test_a_corrected_update_still_updates_the_same_alert(web: Web) -> None:
    first = await web.issued()
    update = await web.ask("POST", f"/api/v1/alerts/{first}/update", json=form(headline="更新"))
    second = (await update.json())["id"]
    assert (await _edit(web, second, 1, headline="再次更新")).status == 200
    detail = await (await web.ask("GET", f"/api/v1/alerts/{second}")).json()
    original = await (await web.ask("GET", f"/api/v1/alerts/{first}")).json()
    assert detail["summary"]["msg_type"] == "Update"
    assert detail["summary"]["lineage"] == original["summary"]["identifier"]
    assert detail["alert"]["references"] == [{key: original["alert"][key] for key in ("sender", "identifier", "sent")}]


async def test_a_draft_is_taken_back_out_of_review(web: Web) -> None:
    number = await web.draft()
    await _step(web, number, "submit")
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/recall", "approver", json={})).status == 403
    stale = await web.ask("POST", f"/api/v1/alerts/{number}/recall", json={"version": 1})
    assert stale.status == 409
    assert (await _step(web, number, "recall", version=2))["state"] == "draft"
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/recall", json={})).status == 422


async def test_an_alert_that_is_ended_by_hand_sends_nothing_more_and_asks_nobody(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    web.bells.rung.clear()
    assert await web.value("SELECT count(*) FROM delivery WHERE state = 0") > 0

    ended = await _step(web, number, "end", "approver", reason="误发")

    assert (ended["state"], ended["ended_at"] is not None) == ("ended", True)
    progress = await (await web.ask("GET", f"/api/v1/alerts/{number}/progress")).json()
    assert progress["deliveries"]["queued"] == 0
    assert progress["deliveries"]["cancelled"] > 0
    assert progress["households"]["pending"] == 0
    assert await web.value("SELECT count(*) FROM unit WHERE state = 'waiting'") == 0
    assert await web.value("SELECT count(*) FROM unit WHERE state = 'cancelled'") > 0
    assert web.bells.rung == [WORK]
    trail = await (await web.ask("GET", f"/api/v1/alerts/{number}/audit", "approver")).json()
    assert trail["entries"][-1]["action"] == "alert.end"
    assert "误发" in str(trail["entries"][-1]["detail"])


async def test_an_alert_is_ended_only_by_who_may_and_with_a_reason(web: Web) -> None:
    number = await web.issued(regions=[DISTRICT])
    path, body = f"/api/v1/alerts/{number}/end", {"reason": "误发"}
    assert (await web.ask("POST", path, "author", json=body)).status == 403
    assert (await web.ask("POST", path, "approver", TOWN, json=body)).status == 403
    assert (await web.ask("POST", path, "approver", json={})).status == 400
    assert (await web.ask("POST", path, "approver", json={**body, "version": 1})).status == 409
    assert await web.value("SELECT state FROM run WHERE alert_id = $1", number) == 0
    draft = await web.draft()
    assert (await web.ask("POST", f"/api/v1/alerts/{draft}/end", "approver", json=body)).status == 422


async def test_what_was_superseded_is_not_ended_in_place_of_its_successor(web: Web) -> None:
    first = await web.issued()
    update = await web.ask("POST", f"/api/v1/alerts/{first}/update", json=form())
    second = (await update.json())["id"]
    await _step(web, second, "submit")
    await _step(web, second, "approve", "approver", version=2)
    await _step(web, second, "issue")
    answer = await web.ask("POST", f"/api/v1/alerts/{first}/end", "approver", json={"reason": "误发"})
    assert answer.status == 422
    assert (await _step(web, second, "end", "approver", reason="误发"))["state"] == "ended"
