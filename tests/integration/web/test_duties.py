"""The duty roster: who is on duty, where nobody is, and shifts arranged by hand."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from audiences import watch
from audiences.duties import holders
from audiences.records import Role
from broadcaster.clock import BEIJING
from broadcaster.escalation.roster import roster
from tests.harness.pages import Reader, reader
from tests.harness.web import OTHER_TOWN, TOWN, Web

VILLAGE, NEIGHBOUR = f"{TOWN}001", f"{TOWN}002"


async def _duty(web: Web, region: str) -> tuple[int, int]:
    """The village head's duty and person."""
    async with web.database.connection() as connection:
        row = await connection.fetchrow("SELECT id, person_id FROM duty WHERE region_code = $1 AND NOT shift", region)
    return row["id"], row["person_id"]


def _field(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")


async def _substitute(web: Web, visitor: Reader, first: timedelta, last: timedelta, **fields: str) -> tuple[int, str]:
    """The neighbouring village's head stands in; the answer's status and text."""
    away, _ = await _duty(web, VILLAGE)
    _, substitute = await _duty(web, NEIGHBOUR)
    now = web.clock.now()
    given = {
        "instead_of": str(away),
        "person": str(substitute),
        "begins": _field(now + first),
        "ends": _field(now + last),
        **fields,
    }
    answer = await visitor.send("/duties/arrange", **given)
    return answer.status, await answer.text()


async def _on_duty(web: Web, region: str) -> list[int]:
    async with web.database.connection() as connection:
        return [one.person_id for one in await holders(connection, [region], Role.VILLAGE_HEAD, web.clock.now())]


async def test_a_substitute_stands_in_from_the_first_minute_to_the_last(web: Web) -> None:
    visitor = await reader(web)
    (_, head), (_, substitute) = await _duty(web, VILLAGE), await _duty(web, NEIGHBOUR)
    status, _ = await _substitute(web, visitor, timedelta(hours=1), timedelta(hours=25))
    assert status == 303
    assert await _on_duty(web, VILLAGE) == [head]
    web.clock.advance(2 * 3600)
    assert await _on_duty(web, VILLAGE) == [head, substitute]
    web.clock.advance(24 * 3600)
    assert await _on_duty(web, VILLAGE) == [head]
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'shift.arrange'") == 1


async def test_sent_twice_a_substitute_is_entered_once(web: Web) -> None:
    visitor = await reader(web)
    assert [(await _substitute(web, visitor, timedelta(), timedelta(days=1)))[0] for _ in range(2)] == [303, 422]
    assert await web.value("SELECT count(*) FROM duty WHERE shift") == 1


async def test_whom_a_shift_and_a_roster_put_on_the_same_duty_is_asked_once(web: Web) -> None:
    _, head = await _duty(web, VILLAGE)
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO duty (person_id, region_code, role, rank, valid_from, shift)"
            " VALUES ($1, $2, 'village_head', 'deputy', $3, true)",
            head,
            VILLAGE,
            web.clock.now(),
        )
        asked = (await roster(connection, [(VILLAGE, "village_head")], web.clock.now())).on_duty(
            VILLAGE, "village_head"
        )
    assert [(one.person_id, one.rank) for one in asked] == [(head, "primary")]


async def test_two_clicks_on_the_roster_are_enough(web: Web) -> None:
    visitor = await reader(web)
    away, _ = await _duty(web, VILLAGE)
    roster = await visitor.page(f"/duties?region={VILLAGE}")
    assert f'href="/duties/arrange?instead_of={away}"' in roster
    form = await visitor.page(f"/duties/arrange?instead_of={away}")
    fields = dict(re.findall(r'<input (?:id="\w+" )?(?:type="hidden" )?name="(\w+)"[^>]*value="([^"]*)"', form))
    fields["person"] = re.findall(r'<option value="(\d+)"', form)[0]
    answer = await visitor.send("/duties/arrange", **fields)
    assert answer.status == 303, await answer.text()
    assert len(await _on_duty(web, VILLAGE)) == 2
    assert "替" in await visitor.page(f"/duties?region={VILLAGE}")


async def test_a_shift_is_taken_back_but_no_standing_duty(web: Web) -> None:
    visitor = await reader(web)
    await _substitute(web, visitor, timedelta(), timedelta(days=1))
    await _substitute(web, visitor, timedelta(days=2), timedelta(days=3))
    standing, _ = await _duty(web, VILLAGE)
    async with web.database.connection() as connection:
        shifts = [row["id"] for row in await connection.fetch("SELECT id FROM duty WHERE shift ORDER BY valid_from")]
    for number in shifts:
        assert (await visitor.send(f"/duties/{number}/end")).status == 303
    assert len(await _on_duty(web, VILLAGE)) == 1
    assert await web.value("SELECT count(*) FROM duty WHERE shift") == 1, "what had begun is kept as having ended"
    assert (await visitor.send(f"/duties/{standing}/end")).status == 422
    assert (await visitor.send("/duties/999999/end")).status == 404


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"begins": "soon"}, "begins"),
        ({"begins": ""}, "begins"),
        ({"ends": "0001-01-01T00:00"}, "ends"),
        ({"ends": "2001-01-01T00:00"}, "ends"),
        ({"ends": "2099-01-01T00:00"}, "ends"),
        ({"person": "nobody"}, "person"),
        ({"person": "999999"}, "ends"),
    ],
)
async def test_a_wrong_shift_comes_back_at_its_field(web: Web, fields: dict[str, str], fault: str) -> None:
    status, text = await _substitute(web, await reader(web), timedelta(), timedelta(days=1), **fields)
    assert status == 422
    assert f'id="fault-{fault}"' in text
    assert await web.value("SELECT count(*) FROM duty WHERE shift") == 0


async def test_duties_are_arranged_only_where_that_is_allowed(web: Web) -> None:
    away, _ = await _duty(web, VILLAGE)
    for role, region, status in (
        ("author", OTHER_TOWN, 404),
        ("village_head", VILLAGE, 403),
        ("approver", TOWN, 403),
        ("viewer", TOWN, 404),
    ):
        visitor = await reader(web, role, region)
        answer = await visitor.send("/duties/arrange", instead_of=str(away), person="1", begins="", ends="")
        assert answer.status == status, (role, region)
    visitor = await reader(web)
    for query in ("region=330212&role=village_head", f"region={VILLAGE}&role=king", "region=9&role=duty_desk", ""):
        await visitor.page(f"/duties/arrange?{query}", 404)


async def test_nobody_of_another_town_can_be_drawn_in(web: Web) -> None:
    _, stranger = await _duty(web, f"{OTHER_TOWN}001")
    visitor = await reader(web, region=TOWN)
    status, _ = await _substitute(web, visitor, timedelta(), timedelta(days=1), person=str(stranger))
    assert status == 422


async def test_gaps_are_where_nobody_is_now_or_will_be_within_a_week(web: Web) -> None:
    now = web.clock.now()
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE duty SET valid_to = $2 WHERE region_code = $1", VILLAGE, now + timedelta(days=3)
        )
        await connection.execute("UPDATE duty SET valid_to = $2 WHERE region_code = $1", NEIGHBOUR, now)
        found, total = await watch.gaps(connection, [TOWN], now, most=100)
    village = {gap.code: gap for gap in found if len(gap.code) == 12}
    assert (village[VILLAGE].begins, village[VILLAGE].ends) == (now + timedelta(days=3), now + timedelta(days=7))
    assert village[NEIGHBOUR].begins == now
    assert total == len(found) == 1 + 2 + 2, "the town, two villages, two grids"
    assert found[-1].code == VILLAGE, "what is open now comes first"
    text = await (await reader(web, region=TOWN)).page("/duties/gaps")
    assert "现在缺岗" in text
    assert "将要缺岗" in text
    assert OTHER_TOWN not in text


async def test_a_shift_closes_a_gap(web: Web) -> None:
    now = web.clock.now()
    (away, _), (_, substitute) = await _duty(web, VILLAGE), await _duty(web, NEIGHBOUR)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE duty SET valid_to = $2 WHERE id = $1", away, now)
    visitor = await reader(web)
    fields = {"region": VILLAGE, "role": "village_head", "person": str(substitute)}
    answer = await visitor.send(
        "/duties/arrange", begins=_field(now - timedelta(hours=1)), ends=_field(now + timedelta(days=8)), **fields
    )
    assert answer.status == 303
    async with web.database.connection() as connection:
        found, _ = await watch.gaps(connection, [VILLAGE], now, most=100)
    assert VILLAGE not in {gap.code for gap in found}


async def test_numbers_of_who_is_on_duty_are_shown_on_asking_and_that_is_recorded(web: Web) -> None:
    visitor = await reader(web)
    whole = await web.value("SELECT address FROM contact WHERE household_id IS NULL AND region_code = $1", VILLAGE)
    assert whole not in await visitor.page(f"/duties?region={VILLAGE}")
    answer = await visitor.send(f"/duties/reveal?region={VILLAGE}")
    assert f"tel:{whole}" in await answer.text()
    assert await web.value("SELECT subject FROM audit_entry WHERE action = 'duties.reveal'") == f"region {VILLAGE}"
    other = await reader(web, "administrator")
    assert (await other.send(f"/duties/reveal?region={VILLAGE}")).status == 403
    assert (await (await reader(web, region=OTHER_TOWN)).send(f"/duties/reveal?region={VILLAGE}")).status == 404


@pytest.mark.parametrize("week", ["x", "0001-01-01", "9999-12-31", "2026-13-01"])
async def test_a_week_that_is_none_is_refused(web: Web, week: str) -> None:
    await (await reader(web)).page(f"/duties?region={TOWN}&week={week}", 400)


async def test_the_week_marks_the_days_that_nobody_covers(web: Web) -> None:
    begins = datetime(2026, 8, 10, tzinfo=BEIJING)
    async with web.database.connection() as connection:
        await connection.execute(
            "UPDATE duty SET valid_to = $2 WHERE region_code = $1", VILLAGE, begins + timedelta(days=2, hours=5)
        )
        lines = await watch.week(connection, VILLAGE, begins)
    head = next(line for line in lines if line.role == "village_head")
    assert [day.open for day in head.days] == [False, False, True, True, True, True, True]
    assert head.whole == ()
    text = await (await reader(web)).page(f"/duties?region={TOWN}&week=2026-08-10")
    assert "08-16" in text
    assert "缺" in text
