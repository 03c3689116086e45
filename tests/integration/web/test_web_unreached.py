"""Unreached lists, trying again, door tasks and their sheets: who sees what, and what is written down about it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import partial

import pytest
from aiohttp import ClientResponse
from openpyxl import load_workbook

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event, Release, claim, fold, write
from broadcaster.dispatch.plan import Plan
from broadcaster.errands import carrier
from broadcaster.errands.carrier import Means
from broadcaster.web.pages import doors_page
from tests.harness.web import DISTRICT, OTHER_TOWN, PASSWORD, TOWN, Web

_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
SCRIPT = "<script>alert(1)</script>"


async def sign_in(web: Web, role: str = "author", region: str = DISTRICT) -> None:
    """Somebody with that role has the browser from now on."""
    web.client.session.cookie_jar.clear()
    await web.token(role, region)
    form = await (await web.client.get("/")).text()
    fields = {"name": f"{role}-{region}", "password": PASSWORD, "form_token": _TOKEN.findall(form)[0]}
    assert (await web.client.post("/sign-in", data=fields, allow_redirects=False)).status == 303


async def unreached_alert(web: Web, **fields: object) -> int:
    """An alert in whose area every message has failed: every household is a door task."""
    number = await web.issued(**fields)
    await web.fan_out()
    for _ in range(8):
        await _fail_everything(web)
        web.clock.advance(1000)
        await web.fan_out()
    return number


async def _fail_everything(web: Web) -> None:
    now = web.clock.now()
    async with web.database.connection() as connection:
        batches = []
        for channel in ("sms", "wechat", "voice", "email"):
            batches += await claim(
                connection, channel=channel, rehearsal=False, now=now, limit=100, worker="w", lease=60, rows=1e6
            )
        rows = await connection.fetch("SELECT alert_id, ordinal FROM delivery WHERE state < 2")
    events = [Event(row["alert_id"], row["ordinal"], 1, DeliveryState.FAILED, None, None, "x", now) for row in rows]
    await write(web.database, "w", events, releases=[Release(batch, now) for batch in batches])
    await fold(web.database, now)


def _means(web: Web) -> Means:
    return Means(web.database, web.clock, web.plans.load, partial(web.bells.ring, "work"))


async def work_off(web: Web) -> int:
    """What a worker would do with what was asked for; how many errands there were."""
    done = 0
    while await carrier.work(_means(web), "w-1"):
        done += 1
    return done


async def post(web: Web, page: str, path: str, **fields: str) -> ClientResponse:
    """A form of `page` is sent to `path`."""
    text = await (await web.client.get(page)).text()
    data = {"form_token": _TOKEN.findall(text)[0], **fields}
    return await web.client.post(path, data=data, allow_redirects=False)


async def test_names_and_numbers_are_seen_by_whoever_may_and_that_is_noted(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    text = await (await web.client.get(f"/alerts/{number}/unreached")).text()
    assert "户1001-1" in text
    assert "+8613010010001" in text
    entry = (
        "SELECT count(*) FROM audit_entry WHERE action = 'households.see' AND alert_id = $1 AND detail NOT LIKE '%户%'"
    )
    assert await web.value(entry, number) == 1

    await sign_in(web, "viewer")
    text = await (await web.client.get(f"/alerts/{number}/unreached")).text()
    assert "户1001-1" not in text
    assert "+8613010010001" not in text
    assert "户**" in text
    assert "unreached.xlsx" not in text
    assert await web.value(entry, number) == 1


async def test_a_reader_of_one_village_sees_no_other(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web, "village_head", f"{TOWN}001")
    text = await (await web.client.get(f"/alerts/{number}/unreached")).text()
    assert "户1001-1" in text
    assert "户1002-1" not in text
    await sign_in(web, region=OTHER_TOWN)
    for path in ("unreached", "doors", "doors/print", "report", "report.pdf", "report.xlsx", "map.json", "live"):
        assert (await web.client.get(f"/alerts/{number}/{path}")).status == 404, path


async def test_the_list_is_filtered_and_wrong_input_is_said_in_words(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    page = f"/alerts/{number}/unreached"
    text = await (await web.client.get(f"{page}?region={TOWN}002&why=all_failed")).text()
    assert "户1002-1" in text
    assert "户1001-1" not in text
    assert "没有符合条件的住户" in await (await web.client.get(f"{page}?why=no_contact")).text()
    for query in ("region=x", "why=x", "after=x", "region=１２"):
        assert (await web.client.get(f"{page}?{query}")).status == 400, query


async def test_the_workbook_has_every_household_and_no_formula(web: Web) -> None:
    number = await unreached_alert(web)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE household SET name = '=HYPERLINK(1)' || chr(7) WHERE name LIKE '%-1'")
    await sign_in(web)
    answer = await web.client.get(f"/api/v1/alerts/{number}/unreached.xlsx")
    assert answer.status == 200
    sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    assert len(rows) == 7
    assert [row[5].value for row in rows if row[5].value == "=HYPERLINK(1)"]
    assert "f" not in {cell.data_type for row in rows for cell in row}
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'households.export'") == 1
    await sign_in(web, "viewer")
    assert (await web.client.get(f"/api/v1/alerts/{number}/unreached.xlsx")).status == 403


async def test_trying_again_is_done_once_however_often_it_is_pressed(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    page = f"/alerts/{number}/unreached"
    before = await web.value("SELECT count(*) FROM delivery")
    answer = await post(web, page, f"/alerts/{number}/resend", region="")
    assert answer.status == 303
    assert (await post(web, page, f"/alerts/{number}/resend", region="")).status == 303
    assert await web.value("SELECT count(*) FROM errand") == 1
    assert await web.value("SELECT count(*) FROM delivery") == before, "nothing is done within the request"
    assert "正在安排重发" in await (await web.client.get(page)).text()
    assert await work_off(web) == 1
    assert await web.value("SELECT count(*) FROM delivery") == before + 6
    text = await (await web.client.get(page)).text()
    assert "重发给 6 户" in text
    assert "正在安排重发" not in text
    await post(web, page, f"/alerts/{number}/resend", region="")
    assert await work_off(web) == 1
    assert "没有可以重发的" in await (await web.client.get(page)).text()
    assert await web.value("SELECT count(*) FROM delivery") == before + 6
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'alert.resend'") == 1


async def test_the_part_that_tells_how_far_it_is_has_the_page_loaded_anew_when_it_is_done(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
    path = f"/alerts/{number}/errands/{await web.value('SELECT id FROM errand')}"
    answer = await web.client.get(path)
    assert ("HX-Refresh" in answer.headers, "every 1s" in await answer.text()) == (False, True)
    await work_off(web)
    answer = await web.client.get(path)
    assert ("HX-Refresh" in answer.headers, "every 1s" in await answer.text()) == (True, False)
    await sign_in(web, "approver")
    assert (await web.client.get(path)).status == 404, "of somebody else"


async def test_an_alert_that_ended_meanwhile_is_not_sent_again_and_says_why(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    page = f"/alerts/{number}/unreached"
    before = await web.value("SELECT count(*) FROM delivery")
    await post(web, page, f"/alerts/{number}/resend", region="")
    await web.value("UPDATE run SET state = 3")
    assert await work_off(web) == 1
    assert "已经结束或过期，不再重发" in await (await web.client.get(page)).text()
    assert "is not sent again" in await (await web.client.get(f"{page}?lang=en")).text()
    assert await web.value("SELECT count(*) FROM delivery") == before
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'alert.resend'") == 0


async def test_what_a_killed_worker_left_is_taken_up_and_counted_once(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
    before = await web.value("SELECT count(*) FROM delivery")
    await web.value(
        "UPDATE errand SET owner = 'dead', tries = 1, lease_until = clock_timestamp() + interval '1 minute'"
    )
    assert await work_off(web) == 0, "somebody is at it"
    await web.value("UPDATE errand SET lease_until = clock_timestamp() - interval '1 second'")
    assert await work_off(web) == 1
    assert await web.value("SELECT count(*) FROM delivery") == before + 6
    assert await web.value("SELECT households FROM errand") == 6


async def test_a_worker_that_was_taken_for_dead_changes_nothing_any_more(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
    before = await web.value("SELECT count(*) FROM delivery")
    means = _means(web)

    async def plan_while_another_takes_it_up(alert_id: int) -> Plan:
        await web.value("UPDATE errand SET owner = 'other'")
        return await web.plans.load(alert_id)

    assert await carrier.work(replace(means, load_plan=plan_while_another_takes_it_up), "w-1")
    assert await web.value("SELECT count(*) FROM delivery") == before
    assert await web.value("SELECT state FROM errand") == "open"


async def test_what_is_cut_off_again_and_again_is_given_up(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
    await web.value("UPDATE errand SET owner = 'w', tries = 5, lease_until = clock_timestamp() - interval '1 second'")
    assert await work_off(web) == 0
    assert await web.value("SELECT state FROM errand") == "failed"
    assert "多次中断" in await (await web.client.get(f"/alerts/{number}/unreached")).text()


async def test_trying_again_stops_at_the_regions_of_who_asks(web: Web) -> None:
    number = await unreached_alert(web, regions=[DISTRICT])
    await sign_in(web, region=TOWN)
    answer = await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
    assert answer.status == 303
    await work_off(web)
    assert await web.value("SELECT households FROM errand") == 6, "of twelve, those of the own town"
    outside = await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region=OTHER_TOWN)
    assert outside.status == 403
    for role in ("viewer", "village_head", "grid_member", "administrator"):
        await sign_in(web, role)
        answer = await post(web, f"/alerts/{number}/unreached", f"/alerts/{number}/resend", region="")
        assert answer.status == 403, role


async def test_doors_are_given_to_somebody_on_duty_there(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    village = f"{TOWN}001"
    page = f"/alerts/{number}/doors?region={village}"
    head = await web.value("SELECT id FROM person WHERE external_id = $1", f"head-{village}")
    other = await web.value("SELECT id FROM person WHERE external_id = $1", f"head-{TOWN}002")
    assert "书记1001" in await (await web.client.get(page)).text()
    path = f"/alerts/{number}/doors/assign"
    for _ in range(2):
        assert (await post(web, page, path, region=village, person=str(head))).status == 303
    assert await web.value("SELECT count(*) FROM door_task WHERE assignee_person_id = $1", head) == 3
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'doors.assign'") == 1
    assert (await post(web, page, path, region=village, person=str(other))).status == 422
    assert (await post(web, page, path, region=village, person="x")).status == 400
    assert (await post(web, page, path, region="", person=str(head))).status == 400
    await sign_in(web, "grid_member", village)
    assert (await post(web, page, path, region=village, person=str(head))).status == 403


async def test_grids_with_doors_to_knock_on_stand_before_those_that_are_done(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    path, named = f"/alerts/{number}/doors", re.compile(r"<td>(\d{4}村)</td><th")
    assert named.findall(await (await web.client.get(path)).text()) == ["1001村", "1002村"]
    await web.value("UPDATE door_task SET state = 'done', closed_at = now() WHERE region = $1", f"{TOWN}001001")
    assert named.findall(await (await web.client.get(path)).text()) == ["1002村", "1001村"]

    monkeypatch.setattr(doors_page, "_GRIDS", 1)
    first = await (await web.client.get(path)).text()
    following = re.findall(r'after=([^"&]+)" rel="next"', first)[0]
    second = await (await web.client.get(f"{path}?after={following}")).text()
    assert (named.findall(first), named.findall(second)) == (["1002村"], ["1001村"])
    shown = first + second
    assert shown.count(f'href="{path}?region={TOWN}') == 1, "what is done is not to be given to anybody"
    await web.value("UPDATE door_task SET state = 'cancelled' WHERE state = 'open'")
    cancelled = await (await web.client.get(f"{path}?lang=en")).text()
    assert cancelled.count("no longer needed") == 2
    for wrong in ("x", "2-330212", f"{TOWN}001", "1-"):
        assert (await web.client.get(f"{path}?after={wrong}")).status == 400, wrong


async def test_a_printed_sheet_begins_with_the_doors_to_knock_on(web: Web) -> None:
    number = await unreached_alert(web)
    await sign_in(web)
    path, homes = f"/alerts/{number}/doors/print?region={TOWN}001&pending=1", re.compile(r'scope="row">(户1001-\d)')
    before = homes.findall(await (await web.client.get(path)).text())
    tried_again = "SELECT id FROM household WHERE name = $1"
    home = await web.value(tried_again, before[0])
    async with web.database.connection() as connection:
        await connection.execute("DELETE FROM door_task WHERE household_id = $1", home)
        await connection.execute("UPDATE target SET state = 0 WHERE household_id = $1", home)
    assert homes.findall(await (await web.client.get(path)).text()) == [*before[1:], before[0]]


async def test_the_sheets_are_by_grid_and_noted(web: Web) -> None:
    number = await unreached_alert(web)
    async with web.database.connection() as connection:
        await connection.execute("UPDATE household SET name = $1, address = $1", SCRIPT)
    await sign_in(web)
    text = await (await web.client.get(f"/alerts/{number}/doors/print?region={TOWN}")).text()
    assert text.count('class="sheet"') == 2
    assert text.count("tick-box") == 6 * 4
    assert SCRIPT not in text
    assert await web.value("SELECT count(*) FROM audit_entry WHERE action = 'households.print'") == 1
    assert (await web.client.get(f"/alerts/{number}/doors/print?region={OTHER_TOWN}")).status == 200
    await sign_in(web, "viewer")
    assert (await web.client.get(f"/alerts/{number}/doors/print?region={TOWN}")).status == 403
