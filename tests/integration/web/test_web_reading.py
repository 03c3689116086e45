"""What comes of an alert: progress, deliveries, who is not reached, units; and their files."""

from __future__ import annotations

import csv
import io

import pytest

from broadcaster.doorbell import WORK
from broadcaster.escalation import tick
from broadcaster.escalation.settlement import settle_stored
from broadcaster.web.csv import line
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Web


async def _planned(web: Web, **fields: object) -> int:
    number = await web.issued(**fields)
    await web.fan_out()
    return number


async def test_progress_counts_households_and_units(web: Web) -> None:
    number = await _planned(web)
    progress = await (await web.ask("GET", f"/api/v1/alerts/{number}/progress", "viewer")).json()
    assert progress["planned"]
    assert progress["households"] == {"total": 6, "reached": 0, "pending": 6, "unreached": 0}
    assert [region["name"] for region in progress["regions"]] == ["1001村", "1002村"]
    assert progress["units"]["total"] > 0


async def test_deliveries_are_paged_filtered_and_masked(web: Web) -> None:
    number = await _planned(web)
    everything = (await (await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?limit=1000")).json())["deliveries"]
    assert everything
    seen: list[object] = []
    after: int | None = -1
    while after is not None:
        page = await (await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?limit=2&after={after}")).json()
        seen += page["deliveries"]
        after = page["next"]
    assert seen == everything
    assert {delivery["state"] for delivery in everything} == {"queued"}
    assert all("****" in delivery["address"] for delivery in everything if delivery["address"])
    village = await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?region={TOWN}001&state=queued&channel=sms")
    found = (await village.json())["deliveries"]
    assert {delivery["region"] for delivery in found} == {TOWN + "001"}
    assert (await (await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?state=failed")).json())["deliveries"] == []


async def test_the_caller_sees_households_only_of_their_own_region(web: Web) -> None:
    number = await _planned(web, regions=[DISTRICT])
    everyone = await (await web.ask("GET", f"/api/v1/alerts/{number}/unreached?pending=true")).json()
    town = await (await web.ask("GET", f"/api/v1/alerts/{number}/unreached?pending=true", region=TOWN)).json()
    head = await (
        await web.ask("GET", f"/api/v1/alerts/{number}/unreached?pending=true", "village_head", TOWN + "001")
    ).json()
    assert [len(page["households"]) for page in (everyone, town, head)] == [12, 6, 3]
    deliveries = await (await web.ask("GET", f"/api/v1/alerts/{number}/deliveries", region=TOWN)).json()
    assert {delivery["region"][:9] for delivery in deliveries["deliveries"]} == {TOWN}
    units = await (await web.ask("GET", f"/api/v1/alerts/{number}/units", region=TOWN)).json()
    assert {unit["region"][:9] for unit in units["units"]} == {TOWN}


async def _delivery_regions(web: Web, number: int, region: str, role: str = "author", query: str = "") -> set[str]:
    """What an account scoped to `region` gets: purpose or medium, and region, of every delivery, page by page."""
    found: list[dict[str, str]] = []
    after: int | None = -1
    while after is not None:
        answer = await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?limit=3&after={after}{query}", role, region)
        page = await answer.json()
        found += page["deliveries"]
        after = page["next"]
    return {
        f"{'speaker' if one['terminal_id'] else 'unit' if one['unit_id'] else 'home'} {one['region']}" for one in found
    }


async def _everywhere(web: Web) -> int:
    """An alert for the whole district: homes, a loudspeaker in each town, and the village heads are asked."""
    async with web.database.connection() as connection:
        for town in (TOWN, OTHER_TOWN):
            await connection.execute(
                "INSERT INTO terminal (external_id, name, region_code, lon, lat, address)"
                " VALUES ($1, '大喇叭', $2, 121.5, 29.8, $3)",
                f"speaker-{town}",
                f"{town}001001",
                f"address-{town}",
            )
    number = await _planned(web, regions=[DISTRICT])
    while await tick.tick(web.database, web.plans.load, web.clock.now()):
        pass
    return number


def _of(kind: str, *regions: str) -> set[str]:
    return {f"{kind} {region}" for region in regions}


async def test_deliveries_to_units_and_loudspeakers_are_seen_in_their_own_regions(web: Web) -> None:
    number = await _everywhere(web)
    here, there = [f"{TOWN}00{n}" for n in (1, 2)], [f"{OTHER_TOWN}00{n}" for n in (1, 2)]
    first = _of("home", *here) | _of("unit", *here) | _of("speaker", f"{TOWN}001001")
    second = _of("home", *there) | _of("unit", *there) | _of("speaker", f"{OTHER_TOWN}001001")
    assert await _delivery_regions(web, number, DISTRICT) == first | second
    assert await _delivery_regions(web, number, TOWN) == first
    assert await _delivery_regions(web, number, OTHER_TOWN) == second
    head = _of("home", here[0]) | _of("unit", here[0]) | _of("speaker", f"{TOWN}001001")
    assert await _delivery_regions(web, number, here[0], "village_head") == head
    assert await _delivery_regions(web, number, DISTRICT, query=f"&region={here[0]}") == head
    assert await _delivery_regions(web, number, TOWN, query=f"&region={there[0]}") == set()


async def test_an_account_of_a_grid_sees_the_deliveries_to_its_own_households(web: Web) -> None:
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE household SET region_code = $1 WHERE external_id = $2", f"{TOWN}001002", f"{TOWN}001-3"
        )
    number = await _everywhere(web)
    answers = [
        await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?limit=1000", "grid_member", f"{TOWN}00100{grid}")
        for grid in (1, 2)
    ]
    homes = [
        {one["household_id"] for one in (await answer.json())["deliveries"] if one["household_id"]}
        for answer in answers
    ]
    assert [len(one) for one in homes] == [2, 1]
    assert not homes[0] & homes[1]


async def test_the_unreached_are_paged_village_by_village(web: Web) -> None:
    number = await _planned(web)
    seen: list[dict[str, object]] = []
    after: str | None = ""
    while after is not None:
        path = f"/api/v1/alerts/{number}/unreached?pending=true&limit=4&after={after}"
        page = await (await web.ask("GET", path)).json()
        seen += page["households"]
        after = page["next"]
    assert len(seen) == len({household["household_id"] for household in seen}) == 6
    assert seen[0]["phones"]
    assert seen[0]["village_name"] == "1001村"
    assert seen[0]["tags"] == ["独居"]
    none = await (await web.ask("GET", f"/api/v1/alerts/{number}/unreached")).json()
    assert none["households"] == []


async def test_the_csv_is_whole_opens_in_a_spreadsheet_and_runs_nothing(web: Web) -> None:
    number = await _planned(web)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE household SET name = '=HYPERLINK(\"http://evil\")', address = E'a\nb,\"c\"'")
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/unreached.csv?pending=true")
    assert answer.content_type == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="unreached-{number}.csv"'
    text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 6
    assert {row["户名"] for row in rows} == {'\'=HYPERLINK("http://evil")'}
    assert {row["地址"] for row in rows} == {'a\nb,"c"'}
    assert all(row["电话"].startswith("'+86") for row in rows)
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'households.export'") == 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", '"\'\t=1"'),
        ("＝1", "'＝1"),
        ("村", "村"),
        ('a"b', '"a""b"'),
        ("-1", "'-1"),
    ],
)
def test_a_cell_is_text_whatever_it_begins_with(value: str, written: str) -> None:
    assert line([value]) == written + "\r\n"


async def test_units_are_listed_with_who_confirmed_and_when(web: Web) -> None:
    number = await _planned(web)
    async with web.database.connection() as connection:
        person = await connection.fetchval("SELECT id FROM person WHERE name = '书记1001'")
        await connection.execute(
            "UPDATE unit SET state = 'acknowledged', acknowledged_at = $1, acknowledged_by = $2, via = 'sms',"
            " moved = 12 WHERE alert_id = $3 AND region = $4 AND role = 'village_head'",
            web.clock.now(),
            person,
            number,
            TOWN + "001",
        )
    units = (await (await web.ask("GET", f"/api/v1/alerts/{number}/units")).json())["units"]
    done = next(unit for unit in units if unit["state"] == "acknowledged")
    assert (done["acknowledged_by"], done["via"], done["moved"], done["region_name"]) == (
        "书记1001",
        "sms",
        12,
        "1001村",
    )
    assert units[-1] == done, "the silent ones come first"
    waiting = (await (await web.ask("GET", f"/api/v1/alerts/{number}/units?state=waiting")).json())["units"]
    assert len(waiting) == len(units) - 1


@pytest.mark.parametrize(
    "query",
    ["state=lost", "limit=0", "limit=1001", "after=x", "region=abc", "channel=pigeon", "surprise=1", "limit=1&limit=2"],
)
async def test_a_bad_query_is_named(web: Web, query: str) -> None:
    number = await web.draft()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/deliveries?{query}")
    assert (answer.status, (await answer.json())["code"]) == (400, "bad-input")


async def test_a_cursor_that_is_not_ours_is_refused(web: Web) -> None:
    number = await web.draft()
    assert (await web.ask("GET", f"/api/v1/alerts/{number}/unreached?after=1;drop")).status == 400


async def test_replies_of_another_machine_are_stored_once(web: Web) -> None:
    body = {
        "channel": "sms",
        "rehearsal": False,
        "replies": [{"id": "m-1", "address": "+8613900000000", "text": "1", "at": "2026-08-10T03:00:00+08:00"}],
    }
    for _ in range(2):
        answer = await web.ask("POST", "/api/v1/replies", json=body)
        assert (answer.status, await answer.json()) == (202, {"stored": 1})
    assert await web.value("SELECT count(*) FROM response") == 1
    assert WORK in web.bells.rung
    assert (await web.ask("POST", "/api/v1/replies", region=TOWN, json=body)).status == 403


@pytest.mark.parametrize(("drill", "state"), [(True, "waiting"), (False, "acknowledged")])
async def test_a_drills_reply_from_another_machine_settles_no_real_unit(web: Web, drill: bool, state: str) -> None:
    number = await _planned(web)
    head = await web.value("SELECT address FROM contact WHERE person_id IS NOT NULL AND region_code = $1", TOWN + "001")
    reply = {"id": "m-1", "address": head, "text": "1", "at": "2026-08-10T03:00:00+08:00"}
    answer = await web.ask("POST", "/api/v1/replies", json={"channel": "sms", "rehearsal": drill, "replies": [reply]})
    assert answer.status == 202
    await settle_stored(web.database, web.clock.now())
    query = "SELECT state FROM unit WHERE alert_id = $1 AND region = $2 AND role = 'village_head'"
    assert await web.value(query, number, TOWN + "001") == state


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
async def test_a_reply_of_a_time_that_is_none_came_when_it_was_handed_in(web: Web, at: str) -> None:
    replies = [{"id": f"m-{n}", "address": "+8613900000000", "text": "1", "at": at} for n in (1, 2)]
    answer = await web.ask("POST", "/api/v1/replies", json={"channel": "sms", "rehearsal": False, "replies": replies})
    assert answer.status == 202
    assert await web.value("SELECT count(*) FROM response WHERE received_at = $1", web.clock.now()) == 2


@pytest.mark.parametrize("mark", [{}, {"rehearsal": None}, {"rehearsal": "no"}])
async def test_replies_that_do_not_say_whether_they_are_of_a_drill_are_refused(
    web: Web, mark: dict[str, object]
) -> None:
    reply = {"id": "m-1", "address": "+8613900000000", "text": "1", "at": "2026-08-10T03:00:00+08:00"}
    answer = await web.ask("POST", "/api/v1/replies", json={"channel": "sms", "replies": [reply], **mark})
    assert (answer.status, (await answer.json())["code"]) == (400, "bad-input")
    assert await web.value("SELECT count(*) FROM response") == 0
