"""Every route, as every role: a neighbour of the region sees nothing of it, and nobody gets in without signing in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from broadcaster.security.permissions import Role
from tests.harness.console import Console, person
from tests.harness.route_table import ROUTES, Line, Reach
from tests.harness.stations import register
from tests.harness.web import OTHER_TOWN, PASSWORD, TOWN, Web
from tests.unit.triggers.test_rule import RULE

SECRET = "只给第一镇看的预警"
OFFICER = "first.town.officer"
KEY = "Draft-of-the-first-town"
NOWHERE = {403, 404}


def _routes(web: Web) -> Iterator[str]:
    for route in web.client.app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            yield f"{route.method} {route.resource.canonical}"


@pytest.fixture
async def ids(web: Web) -> dict[str, Any]:
    """What there is in the first town, by the names that paths use: an alert that went out, its units, its people; and
    of what belongs to the whole district, one of each."""
    officer = await person(web, OFFICER, ("author", TOWN), ("administrator", TOWN))
    console = Console(web)
    await console.sign_in(OFFICER)
    alert = await web.issued(headline=SECRET, regions=[TOWN])
    await web.fan_out()
    session = await web.value("SELECT max(id) FROM credential WHERE kind = 'session'")
    unit = await web.value("SELECT min(id) FROM unit WHERE alert_id = $1", alert)
    call = await web.value(
        "INSERT INTO help_request (alert_id, response_id, region, address, text, created_at, repeated_at)"
        " VALUES ($1, 1, $2, '', $3, $4, $4) RETURNING id",
        alert,
        f"{TOWN}001",
        SECRET,
        web.clock.now(),
    )
    home = await web.value(f"SELECT min(id) FROM household WHERE region_code LIKE '{TOWN}%'")
    await web.value(
        "INSERT INTO door_task (alert_id, household_id, region, reason, created_at)"
        " VALUES ($1, $2, $3, 'escalated', $4)",
        alert,
        home,
        f"{TOWN}001001",
        web.clock.now(),
    )
    visit = await web.value(
        "INSERT INTO door_visit (alert_id, household_id, written_by, key, result, note, visited_at)"
        " VALUES ($1, $2, $3, 'v', 'nobody', $4, $5) RETURNING id",
        alert,
        home,
        OFFICER,
        SECRET,
        web.clock.now(),
    )
    errand = await web.value(
        "INSERT INTO errand (alert_id, account_id, kind, regions, asked_at)"
        " VALUES ($1, $2, 'resend', $3, $4) RETURNING id",
        alert,
        officer,
        [TOWN],
        web.clock.now(),
    )
    message = await web.value(
        "INSERT INTO incoming (source, document, digest, received_at, state, headline, regions, place)"
        " VALUES ('weather', $1, '', $2, 'waiting', $3, $4, 'here') RETURNING id",
        SECRET.encode(),
        web.clock.now(),
        SECRET,
        [TOWN],
    )
    contact = await web.value("SELECT min(id) FROM contact WHERE household_id = $1", home)
    duty = await web.value(f"SELECT min(id) FROM duty WHERE region_code LIKE '{TOWN}%'")
    station = await register(web.database, "s-1", f"{TOWN}001")
    await web.value("UPDATE station SET name = $1 WHERE id = $2 RETURNING id", SECRET, station)
    await web.value(
        "INSERT INTO decision (subject, name, version, body, note, account_id, saved_at)"
        " VALUES ('rule', 'flood', 1, $1, $2, $3, $4) RETURNING version",
        RULE.replace("梁弄溪山洪", SECRET),
        SECRET,
        officer,
        web.clock.now(),
    )
    event = await web.value(
        "INSERT INTO rule_event (rule, version, mode, step, colour, deed, state, regions, said, at)"
        " VALUES ('flood', 1, 'live', 'raise', 'red', 'hold', 'held', $1, $2::text::jsonb, $3) RETURNING id",
        [f"{TOWN}001"],
        json.dumps([{"chinese": SECRET, "english": SECRET}]),
        web.clock.now(),
    )
    await console.get("/compose")
    await console.post(f"/compose/{KEY}", {"do": "save", "headline": SECRET, "regions": TOWN})
    assert await web.value("SELECT count(*) FROM draft_form WHERE key = $1", KEY) == 1
    return {
        "alert": alert,
        "unit": unit,
        "help": call,
        "account": officer,
        "session": session,
        "token": session,
        "photo": 1,
        "deed": "cancel",
        "step": "submit",
        "medium": "voice",
        "key": KEY,
        "audience": home,
        "household": home,
        "contact": contact,
        "visit": visit,
        "errand": errand,
        "incoming": message,
        "dutie": duty,
        "station": station,
        "rule": "flood",
        "event": event,
        "name": "sms",
        "folder": "typhoon",
        "file": "wording.zh-CN.j2",
        "version": 1,
        "colour": "red",
    }


def _address(route: str, line: Line, ids: dict[str, Any]) -> tuple[str, str]:
    """Method and path, with the ids of the first town in their places."""
    method, _, path = route.partition(" ")
    kind = re.sub(r"s$", "", path.removeprefix("/api/v1").split("/")[1])
    named = {"id": ids.get(kind, ids["alert"]), **ids}
    return method, re.sub(r"{(\w+)}", lambda match: str(named[match[1]]), path) + line.query


async def _as(web: Web, console: Console, role: str, route: str, ids: dict[str, Any]) -> tuple[int, str]:
    line = ROUTES[route]
    method, path = _address(route, line, ids)
    if path.startswith("/api/"):
        options: dict[str, Any] = {} if method == "GET" else {"json": line.json or {}}
        answer = await web.ask(method, path, role, OTHER_TOWN, **options)
        return answer.status, await answer.text()
    answer = await (console.get(path) if method == "GET" else console.post(path, line.fields))
    return answer.status, console.text


def test_a_route_that_nobody_thought_about_fails(web: Web) -> None:
    assert set(_routes(web)) == set(ROUTES)


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_a_neighbour_sees_and_changes_nothing(
    web: Web, ids: dict[str, Any], role: str, record_property: Any
) -> None:
    await web.token(role, OTHER_TOWN)
    before = await _state(web)
    console = Console(web)
    await console.sign_in(f"{role}-{OTHER_TOWN}", PASSWORD)
    await console.get("/me")
    wrong, asked = [], 0
    for route, line in ROUTES.items():
        if line.reach is Reach.OPEN:
            continue
        status, text = await _as(web, console, role, route, ids)
        asked += 1
        if status >= 500 or (line.reach is Reach.THING and status not in NOWHERE):
            wrong.append(f"{route}: {status}")
        if status == 403 and TOWN in f"{line.json} {line.fields}":
            text = text.replace("第1镇", "")  # a refusal calls a place by its name when it was asked for by its code
        if any(mark in text for mark in (SECRET, OFFICER, "第1镇", "1001村")):
            wrong.append(f"{route}: tells")
    record_property("requests", asked)
    assert wrong == []
    assert await _state(web) == before


async def test_what_is_looked_for_is_there_for_those_whom_it_concerns(web: Web, ids: dict[str, Any]) -> None:
    console = Console(web)
    await console.sign_in(OFFICER)
    for path, mark in (
        ("/alerts", SECRET),
        ("/incoming", SECRET),
        ("/accounts", OFFICER),
        ("/audit", OFFICER),
        ("/accounts/regions?q=第1", "第1镇"),
    ):
        assert (await console.get(path)).status == 200
        assert mark in console.text, path


async def test_nobody_gets_in_without_signing_in(web: Web, ids: dict[str, Any]) -> None:
    wrong = []
    for route, line in ROUTES.items():
        if line.reach is Reach.OPEN:
            continue
        method, path = _address(route, line, ids)
        web.client.session.cookie_jar.clear()
        answer = await web.client.request(method, path, allow_redirects=False)
        inside = answer.status == 401 if path.startswith("/api/") else answer.headers.get("Location") == "/"
        if not inside:
            wrong.append(f"{route}: {answer.status}")
    assert wrong == []


async def _state(web: Web) -> list[object]:
    """What the first town has; what a request must not have touched."""
    queries = (
        "SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM alert a",
        "SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM unit u",
        "SELECT md5(string_agg(h::text, ',' ORDER BY id)) FROM help_request h",
        f"SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM account a WHERE name = '{OFFICER}'",
        "SELECT count(*) FROM account",
        "SELECT count(*) FROM door_visit",
        "SELECT count(*) FROM errand",
        "SELECT md5(string_agg(i::text, ',' ORDER BY id)) FROM incoming i",
        "SELECT md5(string_agg(r::text, ',' ORDER BY id)) FROM rule_event r",
        "SELECT count(*) FROM decision",
        "SELECT count(*) FROM rule_standing",
        f"SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM account_grant g WHERE region_code = '{TOWN}'",
    )
    return [await web.value(query) for query in queries]
