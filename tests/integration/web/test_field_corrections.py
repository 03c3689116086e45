"""A door that was marked by mistake: put right or taken back by whoever marked it, and everything follows exactly."""

from __future__ import annotations

import pytest

from broadcaster.conservation import breaches
from broadcaster.dispatch import targets
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, fold, write
from broadcaster.escalation.corrections import MOST_CORRECTIONS
from broadcaster.web.endpoint import JSON
from tests.harness.field import VILLAGE, doors_open, unit_link
from tests.harness.pages import reader
from tests.harness.web import TOWN, Web
from tests.integration.web.test_web_unreached import unreached_alert

Standing = tuple[tuple[object, ...], ...]


async def _doors(web: Web) -> tuple[str, int, list[int]]:
    number = await web.issued()
    homes = await doors_open(web, number)
    link, _ = await unit_link(web, number=number)
    return link, number, homes


async def _mark(web: Web, link: str, household: int, result: str, key: str = "tap-mark-0001") -> int:
    data = {"household": str(household), "result": result, "key": key}
    assert (await web.client.post(f"{link}/doors", data=data, allow_redirects=False)).status == 303
    number: int = await web.value("SELECT max(id) FROM door_visit")
    return number


async def _right(web: Web, link: str, visit: int, result: str, key: str = "tap-right-001") -> int:
    path = f"{link}/doors/visits/{visit}"
    return (await web.client.post(path, data={"result": result, "key": key}, allow_redirects=False)).status


async def _standing(web: Web, number: int) -> Standing:
    """Everything that a mark may change: households, villages and doors."""
    async with web.database.connection() as connection:
        assert await breaches(connection, number) == []
        found = [
            await connection.fetch(f"SELECT {columns} FROM {table} WHERE alert_id = $1 ORDER BY 1", number)
            for table, columns in (
                ("target", "household_id, state, late, reached_by, reached_at"),
                ("chunk", "region, households, reached, unreached"),
                ("door_task", "household_id, state, closed_at"),
            )
        ]
    return tuple(tuple(tuple(row) for row in rows) for rows in found)


@pytest.mark.parametrize("result", ["done", "refused", "nobody", "help"])
async def test_a_mark_that_is_taken_back_leaves_everything_as_it_was(web: Web, result: str) -> None:
    link, number, homes = await _doors(web)
    before = await _standing(web, number)
    visit = await _mark(web, link, homes[0], result)
    web.clock.advance(5)
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await _standing(web, number) == before
    assert await web.value("SELECT count(*) FROM door_visit") == 2
    assert "还有 3 户" in await (await web.client.get(f"{link}/doors")).text()


async def test_a_household_that_had_been_given_up_is_given_up_again(web: Web) -> None:
    number = await unreached_alert(web)
    link, _ = await unit_link(web, number=number)
    before = await _standing(web, number)
    household = await web.value("SELECT min(household_id) FROM door_task WHERE starts_with(region, $1)", VILLAGE)
    visit = await _mark(web, link, household, "done")
    assert await _standing(web, number) != before
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await _standing(web, number) == before


async def test_a_household_that_is_pending_again_is_looked_after_again(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    await web.value("UPDATE chunk SET state = 2, next_at = $1", web.clock.now())
    web.clock.advance(60)
    await _right(web, link, visit, "withdrawn")
    due = await web.value("SELECT count(*) FROM chunk WHERE state = 1 AND next_at <= $1", web.clock.now())
    assert due == 1


@pytest.mark.parametrize(
    ("first", "then", "reached", "state"),
    [
        ("done", "refused", 1, "done"),
        ("done", "nobody", 0, "open"),
        ("nobody", "done", 1, "done"),
        ("nobody", "help", 1, "done"),
    ],
)
async def test_a_mark_is_changed_into_another(web: Web, first: str, then: str, reached: int, state: str) -> None:
    link, number, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], first)
    assert await _right(web, link, visit, then) == 303
    assert await web.value("SELECT sum(reached)::int FROM chunk") == reached
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == state
    await _standing(web, number)
    text = await (await web.client.get(f"{link}/doors")).text()
    assert ("无人在家 1 次" in text) == (then == "nobody")


async def test_what_others_say_of_the_household_stays(web: Web) -> None:
    link, number, homes = await _doors(web)
    other = await _mark(web, link, homes[0], "refused", "tap-other-0001")
    await web.value("UPDATE door_visit SET person_id = person_id + 1000 WHERE id = $1", other)
    visit = await _mark(web, link, homes[0], "done")
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await web.value("SELECT state FROM target WHERE household_id = $1", homes[0]) == 1
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == "done"
    assert await _right(web, link, other, "withdrawn", "tap-right-002") == 404, "of somebody else"
    await _standing(web, number)


async def test_an_answer_that_came_since_counts_in_the_doors_place(web: Web) -> None:
    link, number, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    web.clock.advance(5)
    async with web.database.transaction() as connection:
        await targets.reach(connection, number, homes[0], "response", web.clock.now())
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await web.value("SELECT reached_by FROM target WHERE household_id = $1", homes[0]) == "response"
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == "done"
    await _standing(web, number)


async def test_a_message_that_was_delivered_since_counts_in_the_doors_place(web: Web) -> None:
    link, number, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    web.clock.advance(5)
    now = web.clock.now()
    ordinal = await web.value("SELECT min(ordinal) FROM delivery WHERE household_id = $1", homes[0])
    await write(web.database, "w", [Event(number, ordinal, 1, DeliveryState.DELIVERED, None, None, None, now)])
    await fold(web.database, now)
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await web.value("SELECT reached_by FROM target WHERE household_id = $1", homes[0]) == "sms"
    assert await web.value("SELECT reached_at FROM target WHERE household_id = $1", homes[0]) == now
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == "open"
    await _standing(web, number)


async def test_a_call_for_help_that_is_taken_back_stays_with_the_desk(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "help")
    assert await _right(web, link, visit, "withdrawn") == 303
    assert await web.value("SELECT state FROM help_request") == "open"
    assert "更正" in await web.value("SELECT text FROM help_request")
    assert await web.value("SELECT count(*) FROM duty_notice WHERE kind = 'help' AND state = 'open'") == 1


async def test_the_same_tap_counts_once_and_two_corrections_do_not_both_count(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    assert [await _right(web, link, visit, "nobody") for _ in range(2)] == [303, 303]
    assert await _right(web, link, visit, "refused", "tap-right-002") == 409
    assert await web.value("SELECT count(*) FROM door_visit") == 2
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'door.correct'") == 1
    path = f"{link}/doors/visits/{visit}"
    script = await web.client.post(path, data={"result": "help", "key": "tap-right-003"}, headers={"Accept": JSON})
    assert (script.status, (await script.json())["code"]) == (409, "conflict")


async def test_nobody_fills_the_audit_with_corrections(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    answers = []
    for place in range(MOST_CORRECTIONS + 1):
        answers.append(await _right(web, link, visit, "nobody" if place % 2 == 0 else "done", f"tap-right-{place:04d}"))
        visit = await web.value("SELECT max(id) FROM door_visit")
    assert answers == [303] * MOST_CORRECTIONS + [422]


async def test_a_mark_is_put_right_only_while_the_alert_lasts_and_by_whoever_is_on_duty(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    assert await _right(web, link, visit, "open") == 400
    assert await _right(web, link, 999_999, "done") == 404
    assert (await web.client.post(f"/r/{'A' * 32}/doors/visits/{visit}", data={"result": "done"})).status == 404
    await web.value("UPDATE duty SET valid_to = $1 WHERE region_code = $2", web.clock.now(), VILLAGE)
    assert await _right(web, link, visit, "nobody") == 403
    await web.value("UPDATE duty SET valid_to = NULL")
    web.clock.advance(13 * 3600)
    assert await _right(web, link, visit, "nobody") == 422


async def test_the_list_shows_what_one_marked_and_how_to_put_it_right(web: Web) -> None:
    link, _, homes = await _doors(web)
    visit = await _mark(web, link, homes[0], "done")
    text = await (await web.client.get(f"{link}/doors")).text()
    assert "我记录的" in text
    assert f'action="{link}/doors/visits/{visit}"' in text
    assert "What I marked" in await (await web.client.get(f"{link}/doors?lang=en")).text()
    await _right(web, link, visit, "withdrawn")
    assert "我记录的" not in await (await web.client.get(f"{link}/doors?lang=zh")).text()


async def test_an_account_puts_right_what_it_recorded_and_nothing_else(web: Web) -> None:
    link, number, homes = await _doors(web)
    theirs = await _mark(web, link, homes[1], "done")
    path = f"/api/v1/alerts/{number}"
    mine = await web.ask(
        "POST", f"{path}/doors/{homes[0]}", "village_head", VILLAGE, json={"id": "v-1", "result": "done"}
    )
    visit = (await mine.json())["visit"]
    wrong = {"id": "v-2", "result": None}
    for recorded in (True, False):
        answer = await web.ask("POST", f"{path}/visits/{visit}", "village_head", VILLAGE, json=wrong)
        assert (answer.status, (await answer.json())["recorded"]) == (200, recorded)
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == "open"
    assert (await web.ask("POST", f"{path}/visits/{theirs}", "village_head", VILLAGE, json=wrong)).status == 404
    assert (await web.ask("POST", f"{path}/visits/{visit}", json={"id": "v-3", "result": "done"})).status == 404


async def test_the_consoles_page_lists_what_was_found_and_puts_right_ones_own(web: Web) -> None:
    link, number, homes = await _doors(web)
    await _mark(web, link, homes[1], "refused")
    answer = await web.ask(
        "POST", f"/api/v1/alerts/{number}/doors/{homes[0]}", "author", TOWN, json={"id": "v-1", "result": "done"}
    )
    visit = (await answer.json())["visit"]
    desk = await reader(web, "author", TOWN)
    text = await desk.page(f"/alerts/{number}/doors")
    assert "入户记录" in text
    assert text.count("/doors/visits/") == 1, "of the two, that of this account"
    assert "户1001" not in text, "names are masked"
    sent = await desk.send(f"/alerts/{number}/doors/visits/{visit}", result="withdrawn", key="tap-desk-0001", region="")
    assert (sent.status, sent.headers["Location"]) == (303, f"/alerts/{number}/doors?region=&said=door_withdrawn")
    assert await web.value("SELECT state FROM door_task WHERE household_id = $1", homes[0]) == "open"
    assert "<del>" in await desk.page(f"/alerts/{number}/doors")
