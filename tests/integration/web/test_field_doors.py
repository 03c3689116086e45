"""The list of doors behind a village head's link: read, called, marked by several at once."""

from __future__ import annotations

import asyncio

import pytest

from broadcaster.web.pages import doors as doors_page
from tests.harness.field import VILLAGE, doors_open, unit_link
from tests.harness.web import TOWN, Web


async def _doors(web: Web) -> tuple[str, int, list[int]]:
    number = await web.issued()
    homes = await doors_open(web, number)
    link, _ = await unit_link(web, number=number)
    return link, number, homes


def _mark(household: int, result: str, key: str = "tap-00000001") -> dict[str, str]:
    return {"household": str(household), "result": result, "key": key}


async def test_the_list_shows_the_doors_of_the_village_with_numbers_to_call(web: Web) -> None:
    link, number, _ = await _doors(web)
    await doors_open(web, number, TOWN + "002")
    await web.value("UPDATE household SET address = '<script>alert(1)</script>' WHERE name = '户1001-2'")
    text = await (await web.client.get(f"{link}/doors")).text()
    assert "还有 3 户" in text
    assert text.count('href="tel:') == 3
    for words in ("户1001-1", "中心路1号", "独居", "一网格"):
        assert words in text
    assert "户1002" not in text
    assert "<script>alert" not in text
    assert "还有 3 户" in await (await web.client.get(link)).text()


@pytest.mark.parametrize(
    ("result", "state", "reached"), [("done", "done", 1), ("refused", "done", 1), ("nobody", "open", 0)]
)
async def test_whoever_opened_is_reached_and_an_empty_house_stays_on_the_list(
    web: Web, result: str, state: str, reached: int
) -> None:
    link, _, homes = await _doors(web)
    answer = await web.client.post(f"{link}/doors", data=_mark(homes[0], result), allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{link}/doors?said=door_{result}")
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == state
    assert await web.value("SELECT count(*) FROM target WHERE state = 1 AND reached_by = 'door'") == reached
    assert await web.value("SELECT sum(reached)::int FROM chunk") == reached


async def test_a_door_where_help_is_needed_is_reached_and_the_desk_is_told(web: Web) -> None:
    link, _, homes = await _doors(web)
    for key in ("tap-00000001", "tap-00000001", "tap-00000002"):
        await web.client.post(f"{link}/doors", data=_mark(homes[1], "help", key))
    assert await web.value("SELECT count(*) FROM target WHERE state = 1") == 1
    assert await web.value("SELECT household_id FROM help_request") == homes[1]
    assert await web.value("SELECT times FROM help_request") == 2
    assert await web.value("SELECT count(*) FROM duty_notice WHERE kind = 'help' AND state = 'open'") == 1
    number = await web.value("SELECT alert_id FROM help_request")
    assert (await web.ask("GET", f"/api/v1/alerts/{number}/progress")).status == 200
    helps = (await (await web.ask("GET", "/api/v1/help")).json())["help_requests"]
    assert [one["household_id"] for one in helps] == [homes[1]]


async def test_what_the_household_cried_itself_is_not_lost_to_what_was_found_at_its_door(web: Web) -> None:
    link, number, homes = await _doors(web)
    async with web.database.connection() as connection:
        row = await connection.fetchrow("SELECT ordinal, household_id FROM delivery WHERE household_id = $1", homes[0])
    cry = {"answer": "help", "note": "三楼两个老人"}
    await web.client.post(f"/r/{web.context.tokens.sign(number, row['ordinal'])}", data=cry)
    found = {**_mark(homes[0], "help"), "note": "<b>要担架</b>"}
    await web.client.post(f"{link}/doors", data=found)
    text = await web.value("SELECT text FROM help_request WHERE state = 'open'")
    assert text == "求助 三楼两个老人 · 入户时发现需要帮助 <b>要担架</b>"


async def test_several_who_mark_one_door_at_once_count_it_once(web: Web) -> None:
    link, _, homes = await _doors(web)
    results = ["done", "refused", "nobody", "done", "done"]
    answers = await asyncio.gather(
        *(
            web.client.post(f"{link}/doors", data=_mark(homes[0], result, f"tap-{place:08d}"), allow_redirects=False)
            for place, result in enumerate(results)
        )
    )
    assert [answer.status for answer in answers] == [303] * 5
    assert await web.value("SELECT count(*) FROM door_visit") == 5
    assert await web.value("SELECT sum(reached)::int FROM chunk") == 1
    assert await web.value("SELECT count(*) FROM target WHERE state = 1") == 1


async def test_a_door_of_another_village_or_none_does_not_exist(web: Web) -> None:
    link, number, _ = await _doors(web)
    [foreign, *_] = await doors_open(web, number, TOWN + "002")
    for household in (str(foreign), "999999", "x", "", "9" * 30):
        answer = await web.client.post(f"{link}/doors", data={**_mark(0, "done"), "household": household})
        assert answer.status == 404
    assert (await web.client.post(f"{link}/doors", data=_mark(foreign, "open"))).status == 400
    assert await web.value("SELECT count(*) FROM door_visit") == 0


async def test_the_list_is_closed_to_whoever_is_off_duty_and_after_the_end(web: Web) -> None:
    link, _, homes = await _doors(web)
    await web.value("UPDATE duty SET valid_to = $1 WHERE region_code = $2", web.clock.now(), VILLAGE)
    for answer in (
        await web.client.get(f"{link}/doors"),
        await web.client.post(f"{link}/doors", data=_mark(homes[0], "done")),
        await web.client.post(f"{link}/doors", data=_mark(homes[0], "help")),
    ):
        assert answer.status == 403
        assert "户1001" not in await answer.text()
    await web.value("UPDATE duty SET valid_to = NULL")
    web.clock.advance(13 * 3600)
    assert (await web.client.get(f"{link}/doors")).status == 422
    assert (await web.client.post(f"{link}/doors", data=_mark(homes[0], "done"))).status == 422
    assert await web.value("SELECT count(*) FROM target WHERE state = 1") == 0


async def test_a_page_that_may_be_kept_on_the_telephone_says_until_when(web: Web) -> None:
    link, _, _ = await _doors(web)
    for path in (link, f"{link}/doors"):
        answer = await web.client.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert int(answer.headers["X-Daohu-Keep-For"]) == pytest.approx(12 * 3600, abs=1)
    web.clock.advance(13 * 3600)
    assert "X-Daohu-Keep-For" not in (await web.client.get(link)).headers


async def test_a_long_list_comes_in_pages(web: Web) -> None:
    link, number, _ = await _doors(web)
    async with web.database.connection() as connection:
        await connection.execute(
            """
            WITH made AS (
                INSERT INTO household (external_id, region_code, name, risk)
                SELECT 'x' || n, $2, '甲' || n, 50 FROM generate_series(1, 130) n RETURNING id
            ), aimed AS (
                INSERT INTO target (alert_id, household_id, village, region, risk)
                SELECT $1, id, left($2, 12), $2, 50 FROM made
            )
            INSERT INTO door_task (alert_id, household_id, region, reason, created_at)
            SELECT $1, id, $2, 'no_contact', now() FROM made
            """,
            number,
            VILLAGE + "001",
        )
    first = await (await web.client.get(f"{link}/doors")).text()
    assert first.count('class="card door"') == 100
    after = first.partition('href="?after=')[2].partition('"')[0]
    second = await (await web.client.get(f"{link}/doors?after={after}")).text()
    assert second.count('class="card door"') == 33
    assert (await web.client.get(f"{link}/doors?after=x")).status == 400


async def test_the_next_page_of_doors_comes_before_what_was_marked(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors_page, "_PAGE", 1)
    link, _, homes = await _doors(web)
    await web.client.post(f"{link}/doors", data=_mark(homes[0], "done"))
    text = await (await web.client.get(f"{link}/doors")).text()
    assert 0 < text.find("?after=") < text.find('id="own"')


async def test_machines_read_and_mark_doors_of_their_own_regions(web: Web) -> None:
    _, number, homes = await _doors(web)
    [foreign, *_] = await doors_open(web, number, TOWN + "002")
    path = f"/api/v1/alerts/{number}/doors"
    village = (await (await web.ask("GET", path, "village_head", VILLAGE)).json())["doors"]
    assert sorted(door["household_id"] for door in village) == homes
    page = await (await web.ask("GET", f"{path}?limit=4")).json()
    rest = await (await web.ask("GET", f"{path}?limit=4&after={page['next']}")).json()
    assert (len(page["doors"]), len(rest["doors"]), rest["next"]) == (4, 2, None)
    assert {door["household_id"] for door in page["doors"]}.isdisjoint(door["household_id"] for door in rest["doors"])
    assert (await web.ask("GET", f"{path}?after=x")).status == 400

    visit = {"id": "v-1", "result": "done"}
    for recorded in (True, False):
        answer = await web.ask("POST", f"{path}/{homes[0]}", "village_head", VILLAGE, json=visit)
        assert (answer.status, (await answer.json())["recorded"]) == (200, recorded)
    assert await web.value("SELECT written_by FROM door_visit") == f"village_head-{VILLAGE}"
    assert await web.value("SELECT sum(reached)::int FROM chunk") == 1
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'door.visit'") == 1
    for household, role, region, status in (
        (foreign, "village_head", VILLAGE, 404),
        (homes[1], "viewer", "330212", 403),
        (999_999, "author", "330212", 404),
    ):
        assert (await web.ask("POST", f"{path}/{household}", role, region, json=visit)).status == status
    web.clock.advance(13 * 3600)
    answer = await web.ask("POST", f"{path}/{homes[1]}", json={"id": "v-2", "result": "refused"})
    assert answer.status == 422
