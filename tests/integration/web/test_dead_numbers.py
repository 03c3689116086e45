"""Dead numbers: what failed again and again for good is found, taken along, and switched off; nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from broadcaster.rosters import dead
from tests.harness.pages import reader
from tests.harness.web import OTHER_TOWN, TOWN, Web

FAILED, DELIVERED = 5, 6


async def _history(web: Web, contact: int, *results: tuple[int, str | None], rehearsal: bool = False) -> None:
    """What became of a contact under one alert after the other."""
    async with web.database.connection() as connection:
        address = await connection.fetchval("SELECT address FROM contact WHERE id = $1", contact)
        for alert_id, (state, reason) in enumerate(results, start=1):
            await connection.execute(
                "INSERT INTO run (alert_id, lineage, rehearsal, urgency, opened_at, expires_at)"
                " VALUES ($1, $1, $2, 0, $3, $3) ON CONFLICT DO NOTHING",
                alert_id,
                rehearsal,
                web.clock.now(),
            )
            await connection.execute(
                "INSERT INTO delivery (alert_id, ordinal, batch, state, contact_id, address, settled_at, reason)"
                " VALUES ($1, $2, 0, $3, $4, $5, $6, $7)",
                alert_id,
                contact,
                state,
                contact,
                address,
                web.clock.now(),
                reason,
            )


async def _contacts(web: Web, town: str = TOWN) -> list[int]:
    async with web.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id FROM contact WHERE household_id IS NOT NULL AND region_code LIKE $1 ORDER BY id", f"{town}%"
        )
    return [row["id"] for row in rows]


async def _dead(web: Web, **options: Any) -> list[int]:
    async with web.database.connection() as connection:
        return [one.id for one in await dead.dead(connection, [""], web.clock.now(), **options)]


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([(FAILED, "空号"), (FAILED, "UNDELIV")], True),
        ([(FAILED, "MK:0001"), (FAILED, "stat=UNDELIV err=001")], True),
        ([(FAILED, "MI:0013"), (FAILED, "MN:0001")], True),
        ([(FAILED, "MA:0001"), (FAILED, "MA:0001")], False),
        ([(FAILED, "5.1.1 no such mailbox"), (FAILED, "550 5.1.1 user unknown")], True),
        ([(FAILED, "43004 require subscribe"), (FAILED, "43004")], True),
        ([(DELIVERED, None), (FAILED, "停机"), (FAILED, "停机")], True),
        ([(FAILED, "空号"), (DELIVERED, None), (FAILED, "空号")], False),
        ([(FAILED, "空号"), (FAILED, "空号"), (DELIVERED, None)], False),
        ([(FAILED, "空号")], False),
        ([(FAILED, "no answer"), (FAILED, "busy")], False),
        ([(FAILED, "EXPIRED"), (FAILED, "4.2.2 mailbox full")], False),
        ([(FAILED, None), (FAILED, None)], False),
        ([(FAILED, "空号"), (FAILED, "no answer"), (FAILED, "空号")], True),
    ],
)
async def test_dead_is_what_fails_for_good_twice_in_a_row(
    web: Web, results: list[tuple[int, str | None]], found: bool
) -> None:
    contact, *_ = await _contacts(web)
    await _history(web, contact, *results)
    assert await _dead(web) == ([contact] if found else [])


async def test_a_drill_says_nothing_of_a_number(web: Web) -> None:
    contact, *_ = await _contacts(web)
    await _history(web, contact, (FAILED, "空号"), (FAILED, "空号"), rehearsal=True)
    assert await _dead(web) == []


async def test_a_number_that_was_corrected_since_is_another_one(web: Web) -> None:
    contact, *_ = await _contacts(web)
    await _history(web, contact, (FAILED, "空号"), (FAILED, "空号"))
    async with web.database.connection() as connection:
        await connection.execute("UPDATE contact SET address = '13900139000' WHERE id = $1", contact)
    assert await _dead(web) == []


async def test_the_report_is_masked_scoped_and_switches_off_what_it_lists_and_nothing_else(web: Web) -> None:
    first, second, *_ = await _contacts(web)
    foreign, *_ = await _contacts(web, OTHER_TOWN)
    for contact in (first, foreign):
        await _history(web, contact, (FAILED, "空号"), (FAILED, "空号"))
    visitor = await reader(web, region=TOWN)
    text = await visitor.page("/audience/dead")
    assert f'value="{first}"' in text
    assert f'value="{foreign}"' not in text
    assert await web.value("SELECT address FROM contact WHERE id = $1", first) not in text
    for said in ("dead_off", "dead_none"):
        answer = await visitor.send("/audience/dead/off", contacts=f"{first},{second},{foreign}")
        assert answer.headers["Location"] == f"/audience/dead?said={said}"
    inactive = "SELECT array_agg(id) FROM contact WHERE NOT active"
    assert await web.value(inactive) == [first]
    assert "没有发现失效号码" in await visitor.page("/audience/dead")
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'contacts.bury'") == 1
    assert (await visitor.send("/audience/dead/off", contacts="all")).status == 400
    assert (await (await reader(web, "approver")).send("/audience/dead/off", contacts=str(foreign))).status == 403


async def test_the_file_has_whole_numbers_only_for_who_may_see_them(web: Web) -> None:
    contact, *_ = await _contacts(web)
    await _history(web, contact, (FAILED, "空号"), (FAILED, "空号"))
    whole = await web.value("SELECT address FROM contact WHERE id = $1", contact)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE household SET name = '=cmd'")
    text = await (await reader(web)).page("/audience/dead.csv")
    assert whole in text
    assert ",=cmd" not in text
    assert whole not in await (await reader(web, "administrator")).page("/audience/dead.csv")
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'contacts.export'") == 2
