"""The duty desk in the API and on the pages: what it has to do, confirmations by telephone, calls for help."""

from __future__ import annotations

import re
from typing import Any

import pytest

from broadcaster.escalation import tick
from broadcaster.escalation.settlement import settle_stored
from broadcaster.ports import Medium, Reply
from broadcaster.responses import inbox
from tests.harness.web import DISTRICT, OTHER_TOWN, PASSWORD, TOWN, Web

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


async def silent(web: Web, **fields: object) -> int:
    """An issued alert whose village heads have stayed silent until the duty desk was told."""
    number = await web.issued(**fields)
    await web.fan_out()
    for _ in range(30):
        while await tick.tick(web.database, web.plans.load, web.clock.now()):
            pass
        web.clock.advance(60)
    return number


async def _cry(web: Web, address: str, text: str = "救命", name: str = "") -> None:
    said = Reply(name or f"{address}-{text}", address, text, web.clock.now())
    await inbox.keep(web.database, "g", Medium.SMS, [said], web.clock.now(), rehearsal=False)
    while await settle_stored(web.database, web.clock.now()):
        pass


async def _notices(web: Web, path: str = "", role: str = "author", region: str = DISTRICT) -> list[dict[str, Any]]:
    answer = await web.ask("GET", f"/api/v1{path}/notices", role, region)
    assert answer.status == 200, await answer.text()
    found: list[dict[str, Any]] = (await answer.json())["notices"]
    return found


async def _help(web: Web, region: str = DISTRICT, state: str = "open") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await (await web.ask("GET", f"/api/v1/help?state={state}", region=region)).json())[
        "help_requests"
    ]
    return found


async def _unit(web: Web, number: int, region: str) -> int:
    unit: int = await web.value(
        "SELECT id FROM unit WHERE alert_id = $1 AND region = $2 AND role = 'village_head'", number, region
    )
    return unit


async def _household_phone(web: Web, village: str) -> str:
    phone: str = await web.value(
        "SELECT address FROM contact WHERE household_id IS NOT NULL AND region_code = $1 ORDER BY id LIMIT 1",
        village + "001",
    )
    return phone


async def test_the_desk_is_told_whom_to_ring_about_a_silent_unit(web: Web) -> None:
    number = await silent(web)
    notices = await _notices(web, f"/alerts/{number}")
    assert {(notice["kind"], notice["region"]) for notice in notices} == {
        ("call", TOWN + "001"),
        ("call", TOWN + "002"),
    }
    first = next(notice for notice in notices if notice["region"] == TOWN + "001")
    assert first["holders"] == ["书记1001 +8615010010000"]
    assert (first["region_name"], first["role"], first["rehearsal"]) == ("1001村", "village_head", False)
    assert (first["alert_id"], first["unit_id"]) == (number, await _unit(web, number, TOWN + "001"))
    assert await _notices(web) == notices


async def test_notices_are_seen_only_in_the_callers_regions(web: Web) -> None:
    number = await silent(web, regions=[DISTRICT])
    for path in ("", f"/alerts/{number}"):
        assert len(await _notices(web, path)) == 4
        assert {notice["region"][:9] for notice in await _notices(web, path, region=OTHER_TOWN)} == {OTHER_TOWN}
        [own] = await _notices(web, path, "village_head", TOWN + "001")
        assert own["region"] == TOWN + "001"
        assert (await web.ask("GET", f"/api/v1{path}/notices", "viewer")).status == 403


async def test_notices_are_paged_and_filtered(web: Web) -> None:
    number = await silent(web, regions=[DISTRICT])
    await _cry(web, await _household_phone(web, TOWN + "001"))
    everything = await _notices(web)
    seen: list[object] = []
    after: int | None = 0
    while after is not None:
        page = await (await web.ask("GET", f"/api/v1/notices?limit=2&after={after}")).json()
        seen += page["notices"]
        after = page["next"]
    assert seen == everything
    helps = await (await web.ask("GET", f"/api/v1/alerts/{number}/notices?kind=help")).json()
    assert [notice["kind"] for notice in helps["notices"]] == ["help"]


async def test_a_confirmation_by_telephone_is_recorded_with_who_wrote_it_down(web: Web) -> None:
    number = await silent(web)
    unit = await _unit(web, number, TOWN + "001")
    path = f"/api/v1/alerts/{number}/units/{unit}/confirm"
    for _ in range(2):
        answer = await web.ask("POST", path, json={"moved": 7, "note": "已回电"}, headers={"Idempotency-Key": "k"})
        assert answer.status == 200, await answer.text()
        said = await answer.json()
        assert (said["id"], said["state"], said["via"], said["moved"]) == (unit, "acknowledged", "desk", 7)
    assert {notice["region"] for notice in await _notices(web)} == {TOWN + "002"}
    entries = (await (await web.ask("GET", f"/api/v1/alerts/{number}/audit", "approver")).json())["entries"]
    done = [entry for entry in entries if entry["action"] == "unit.confirm"]
    assert [(entry["subject"], entry["detail"]) for entry in done] == [(f"unit:{unit}", {"moved": 7, "note": "已回电"})]


async def test_a_confirmation_by_telephone_needs_the_right_in_the_units_region(web: Web) -> None:
    number = await silent(web, regions=[DISTRICT])
    unit = await _unit(web, number, TOWN + "001")
    path = f"/api/v1/alerts/{number}/units/{unit}/confirm"
    for role, region in (("approver", DISTRICT), ("viewer", DISTRICT), ("author", OTHER_TOWN)):
        assert (await web.ask("POST", path, role, region, json={})).status == 403, (role, region)
    assert (await web.ask("POST", path, "village_head", TOWN + "002", json={})).status == 403
    assert await web.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 0
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'unit.confirm'") == 0
    assert (await web.ask("POST", path, region=TOWN, json={})).status == 200


async def test_a_confirmation_that_makes_no_sense_is_refused_in_words(web: Web) -> None:
    number = await silent(web)
    other = await web.issued(regions=[OTHER_TOWN])
    mine, foreign = await _unit(web, number, TOWN + "001"), await _unit(web, other, OTHER_TOWN + "001")

    async def code(unit: object, body: dict[str, object]) -> tuple[int, str]:
        answer = await web.ask("POST", f"/api/v1/alerts/{number}/units/{unit}/confirm", json=body)
        problem = await answer.json()
        return answer.status, problem.get("code", "")

    assert await code(foreign, {}) == await code("x", {}) == await code("9" * 20, {}) == (404, "not-found")
    assert await code(mine, {"moved": -1}) == (400, "bad-input")
    assert await code(mine, {}) == (200, "")
    assert await code(mine, {}) == (409, "conflict")
    assert (await web.ask("POST", f"/api/v1/alerts/{number}/cancel", json={})).status in (200, 201)
    await web.value("UPDATE run SET state = 3 WHERE alert_id = $1", number)
    assert await code(await _unit(web, number, TOWN + "002"), {}) == (422, "rule")


async def test_a_call_for_help_is_listed_closed_once_and_audited(web: Web) -> None:
    number = await silent(web)
    phone = await _household_phone(web, TOWN + "001")
    await _cry(web, phone, "水进来了，救命")
    [request] = await _help(web)
    assert (request["alert_id"], request["text"], request["call_back"]) == (number, "水进来了，救命", phone)
    path = f"/api/v1/help/{request['id']}/close"
    assert (await web.ask("POST", path, region=OTHER_TOWN, json={})).status == 404
    assert (await web.ask("POST", path, "approver", json={})).status == 403

    closed = await web.ask("POST", path, region=TOWN, json={"note": "消防已到"})
    assert (closed.status, (await closed.json())["state"]) == (200, "done")
    assert (await web.ask("POST", path, json={})).status == 409
    assert await _help(web) == []
    assert [one["id"] for one in await _help(web, state="done")] == [request["id"]]
    assert "help" not in {notice["kind"] for notice in await _notices(web)}
    detail = await web.value("SELECT detail FROM audit_entry WHERE action = 'help.close' AND alert_id = $1", number)
    assert detail == '{"note":"消防已到"}'


async def test_a_call_for_help_from_nobody_knows_where_is_everybodys_business(web: Web) -> None:
    await web.issued()
    await _cry(web, "+8613900009999")
    for region in (DISTRICT, OTHER_TOWN, TOWN + "002"):
        [request] = await _help(web, region)
        assert (request["region"], request["alert_id"], request["call_back"]) == ("", None, "+8613900009999")
        assert [notice["kind"] for notice in await _notices(web, region=region)] == ["help"]
    assert (await web.ask("POST", f"/api/v1/help/{request['id']}/close", region=OTHER_TOWN, json={})).status == 200


async def test_whoever_cried_by_link_can_be_called_back(web: Web) -> None:
    number = await web.issued()
    await web.fan_out()
    ordinal = await web.value("SELECT min(ordinal) FROM delivery WHERE household_id IS NOT NULL")
    await web.client.post(f"/r/{web.context.tokens.sign(number, ordinal)}", data={"answer": "help"})
    [request] = await _help(web)
    assert request["call_back"] == await web.value("SELECT address FROM delivery WHERE ordinal = $1", ordinal)


async def _sign_in(web: Web, role: str = "author", region: str = DISTRICT) -> None:
    await web.token(role, region)
    form = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region}", "password": PASSWORD, "form_token": _TOKEN.findall(form)[0]}
    assert (await web.client.post("/sign-in", data=fields, allow_redirects=False)).status == 303


async def _page(web: Web, path: str) -> str:
    return await (await web.client.get(path)).text()


async def test_the_status_page_tells_the_desk_whom_to_ring_and_takes_the_answer(web: Web) -> None:
    number = await silent(web)
    unit = await _unit(web, number, TOWN + "001")
    await _sign_in(web)
    action = f"/alerts/{number}/units/{unit}/confirm"
    for path in (f"/alerts/{number}", f"/alerts/{number}/status", "/alerts"):
        text = await _page(web, path)
        assert "书记1001 +8615010010000" in text, path
        assert f'action="{action}"' in text, path
    token = _TOKEN.findall(await _page(web, f"/alerts/{number}/status"))[0]

    assert (await web.client.post(action, data={"form_token": "x"})).status == 403
    assert (await web.client.post(action, data={"form_token": token, "moved": "-1"})).status == 422
    answer = await web.client.post(action, data={"form_token": token, "moved": "4"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/alerts/{number}")
    assert await web.value("SELECT (via, moved) FROM unit WHERE id = $1", unit) == ("desk", 4)
    assert f'action="{action}"' not in await _page(web, f"/alerts/{number}")
    assert "值班室" in await _page(web, f"/alerts/{number}")


async def test_the_status_page_shows_what_became_of_a_call_for_help(web: Web) -> None:
    number = await silent(web)
    await _cry(web, await _household_phone(web, TOWN + "001"), "救命")
    await _cry(web, await _household_phone(web, TOWN + "001"), "快来，救命")
    await _sign_in(web)
    text = await _page(web, f"/alerts/{number}")
    assert "待处理" in text
    assert "第 2 次" in text
    help_id = await web.value("SELECT id FROM help_request")
    token = _TOKEN.findall(text)[0]

    answer = await web.client.post(f"/help/{help_id}/close", data={"form_token": token}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/alerts/{number}")
    text = await _page(web, f"/alerts/{number}")
    assert "已办结" in text
    assert "待处理" not in text
    assert "快来，救命" not in await _page(web, "/alerts")


async def test_a_call_for_help_under_no_alert_is_on_the_start_page(web: Web) -> None:
    await _cry(web, "+8613900009999", "救命，我在桥下")
    await _sign_in(web, region=OTHER_TOWN)
    text = await _page(web, "/alerts")
    assert "救命，我在桥下" in text
    assert "+8613900009999" in text
    help_id = await web.value("SELECT id FROM help_request")
    answer = await web.client.post(
        f"/help/{help_id}/close", data={"form_token": _TOKEN.findall(text)[0]}, allow_redirects=False
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/alerts")


@pytest.mark.parametrize(("role", "seen"), [("viewer", False), ("approver", True)])
async def test_who_may_not_confirm_gets_no_button(web: Web, role: str, seen: bool) -> None:
    number = await silent(web)
    await _cry(web, await _household_phone(web, TOWN + "001"))
    await _sign_in(web, role)
    for path in (f"/alerts/{number}", "/alerts"):
        text = await _page(web, path)
        assert ("需值班室联系" in text) is seen
        assert "/confirm" not in text
        assert "/close" not in text


async def test_what_the_desk_has_to_do_speaks_english_too(web: Web) -> None:
    number = await silent(web)
    await _cry(web, await _household_phone(web, TOWN + "001"))
    await _sign_in(web)
    text = await _page(web, f"/alerts/{number}/status?lang=en")
    for words in ("For the duty desk to ring up", "Call back", "They confirmed on the telephone", "It is seen to"):
        assert words in text


async def test_a_drill_is_marked_where_the_desk_reads(web: Web) -> None:
    number = await silent(web, status="Exercise")
    assert {notice["rehearsal"] for notice in await _notices(web)} == {True}
    await _sign_in(web)
    assert "演练" in (await _page(web, f"/alerts/{number}/status")).partition("需值班室联系")[2].partition("书记")[0]
