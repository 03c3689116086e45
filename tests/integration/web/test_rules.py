"""Rules at the console: written with every mistake named, tried on the past, put to work by a second person, vetoed."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

from broadcaster.escalation.units import open_units
from broadcaster.triggers.acting import Hand, issuing_by_rule
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.watching import Watch
from tests.harness.pages import reader
from tests.harness.stations import course, put_to_work, register
from tests.harness.web import DISTRICT, TOWN, Web

RULE = """
title = "river"
hazard = "flood"
stations = ["s-1"]
[[levels]]
colour = "red"
do = "hold"
[[levels.when]]
element = "water_level"
above = 5.0
"""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


async def measure(web: Web, *values: float, code: str = "s-1") -> None:
    """A station with a value every five minutes until now."""
    await register(web.database, code, f"{TOWN}001")
    start = web.clock.now() - timedelta(minutes=5 * (len(values) - 1))
    await Readings(web.database, web.clock, 30).keep(course(code, "water_level", start, values), source="t")


async def look(web: Web) -> None:
    """What the worker would do: every rule at work looks at what is new."""

    async def announce(_alert_id: int) -> None:
        return None

    send = issuing_by_rule(web.database, web.clock, web.context.office, open_units)
    hand = Hand(web.database, web.clock, web.context.office, send, announce, frozenset())
    while await Watch(hand).look():
        pass


async def test_a_rule_is_written_tried_put_to_work_and_its_alert_vetoed(web: Web) -> None:
    await measure(web, 1.0, 1.0, 5.5, 5.6)
    writer = await reader(web, "administrator")
    assert (await writer.send("/rules", name="Bad Name")).status == 422
    assert (await writer.send("/rules", name="river")).headers["Location"] == "/rules/river"
    wrong = await writer.send("/rules/river", text=RULE.replace("flood", "dragon").replace("above = 5.0", ""), seen="0")
    text = await wrong.text()
    assert wrong.status == 422
    assert "hazard" in text
    assert "levels[0].when[0]" in text
    assert (await writer.send("/rules/river", text=RULE, seen="0")).status == 303
    assert "（≥ 5）" in await writer.page("/rules/river/replay?days=1")
    assert "（≥ 5）" not in await writer.page("/rules/river")
    assert (await writer.send("/rules/river/mode", mode="live", version="1")).status == 403
    assert (await writer.send("/rules/river/mode", mode="shadow", version="1")).status == 303
    chief = await reader(web, "approver")
    assert (await chief.send("/rules/river/mode", mode="live", version="1")).status == 303
    await look(web)
    overview = await chief.page("/alerts")
    assert "倒计时中" in overview
    assert "否决" in overview
    event = re.findall(r"/rules/events/(\d+)/veto", overview)[0]
    assert (await chief.send(f"/rules/events/{event}/veto")).status == 303
    assert "倒计时中" not in await chief.page("/alerts")
    assert (await chief.send(f"/rules/events/{event}/veto")).status == 409
    web.clock.advance(3600)
    await look(web)
    assert await web.value("SELECT count(*) FROM run") == 0
    assert "已否决" in await chief.page("/rules/river")


async def test_every_page_of_rules_is_in_english_too(web: Web) -> None:
    await measure(web, 1.0, 5.5, 5.6)
    writer = await reader(web, "administrator")
    await writer.send("/rules/river", text=RULE, seen="0", note="x")
    await (await reader(web, "approver")).send("/rules/river/mode", mode="live", version="1")
    await look(web)
    chief = await reader(web, "approver")
    await chief.page("/alerts?lang=en")
    for path in ("/alerts", "/rules", "/rules/river", "/rules/river/replay", "/rules/river/versions/1"):
        text = await chief.page(path)
        shown = re.sub(r"s-1站|1001村|鄞州区|中文|洪水红色预警[^<]*|<title>.*?</title>", "", text)
        assert not _CHINESE.search(shown), (
            path,
            _CHINESE.findall(shown),
            shown[: shown.find(_CHINESE.findall(shown)[0])][-200:],
        )
    writer = await reader(web, "administrator")
    await writer.page("/alerts?lang=en")
    answer = await writer.send("/rules/river", text=RULE.replace("flood", "dragon"), seen="1")
    fault: Any = re.search(r'<p class="fault"[^>]*>([^<]+)</p>', await answer.text())
    assert not _CHINESE.search(fault[1]), fault[1]


async def test_what_goes_out_unless_vetoed_says_so_on_its_own_page_and_is_vetoed_there(web: Web) -> None:
    await measure(web, 1.0, 1.0, 5.5, 5.6)
    await put_to_work(web.database, DISTRICT, "river", RULE, web.clock.now())
    await look(web)
    number = await web.value("SELECT alert_id FROM rule_event WHERE state = 'held'")
    other = await web.draft()
    chief = await reader(web, "approver")
    shown = await chief.page(f"/alerts/{number}")
    assert "无人否决" in shown
    assert "countdown" in shown, "the seconds run"
    event = re.findall(r"/rules/events/(\d+)/veto", shown)[0]
    assert "无人否决" not in await chief.page(f"/alerts/{other}")
    assert (await chief.send(f"/rules/events/{event}/veto")).status == 303
    assert "无人否决" not in await chief.page(f"/alerts/{number}")


async def test_what_a_rule_could_not_write_is_written_from_there(web: Web) -> None:
    await measure(web, 1.0, 1.0, 5.5, 5.6)
    elsewhere = RULE.replace("hold", "draft").replace("stations =", f'within = ["{DISTRICT}999"]\nstations =')
    await put_to_work(web.database, DISTRICT, "river", elsewhere, web.clock.now())
    await look(web)
    for role, offered in (("author", True), ("viewer", False)):
        cries = re.findall(r'id="cries".*?</section>', await (await reader(web, role)).page("/alerts"), re.DOTALL)[0]
        assert "未能执行" in cries
        assert ('href="/compose"' in cries) == offered


async def test_a_rule_that_somebody_else_saved_meanwhile_is_overwritten_only_by_who_was_told(web: Web) -> None:
    writer = await reader(web, "administrator")
    assert (await writer.send("/rules/river", text=RULE, seen="0")).status == 303
    mine = RULE.replace("5.0", "4.0")
    stale = await writer.send("/rules/river", text=mine, seen="0", note="why")
    shown = await stale.text()
    assert stale.status == 409
    assert "别人保存了新的版本" in shown
    assert "above = 4.0" in shown, "what was typed is not lost"
    assert 'value="why"' in shown
    assert re.findall(r'name="seen" value="(\d+)"', shown) == ["1"]
    assert await web.value("SELECT count(*) FROM decision") == 1
    assert (await writer.send("/rules/river", text=mine, seen="1")).status == 303
    assert "above = 4.0" in await web.value("SELECT body FROM decision ORDER BY version DESC LIMIT 1")


async def test_two_who_save_a_rule_at_the_same_moment_make_one_version(web: Web) -> None:
    writer = await reader(web, "administrator")
    texts = [RULE.replace("5.0", f"5.{number}") for number in range(4)]
    answers = await asyncio.gather(*(writer.send("/rules/river", text=text, seen="0") for text in texts))
    assert sorted(answer.status for answer in answers) == [303, 409, 409, 409]
    assert await web.value("SELECT count(*) FROM decision") == 1


async def test_a_replay_shows_where_the_readings_were_lost(web: Web) -> None:
    await measure(web, 1.0, 5.5, 5.6)
    web.clock.advance(15 * 3600)
    writer = await reader(web, "administrator")
    await writer.send("/rules/river", text=RULE, seen="0")
    assert "失去读数" in await writer.page("/rules/river/replay?days=1")


async def test_what_is_held_and_does_not_hold_just_now_says_so(web: Web) -> None:
    await measure(web, 1.0, 5.5)
    writer = await reader(web, "administrator")
    await writer.send("/rules/river", text=RULE, seen="0")
    chief = await reader(web, "approver")
    await chief.send("/rules/river/mode", mode="live", version="1")
    await look(web)
    web.clock.advance(60)
    fallen = course("s-1", "water_level", web.clock.now(), [1.0])
    await Readings(web.database, web.clock, 30).keep(fallen, source="t")
    await look(web)
    assert "条件眼下不满足" in await chief.page("/alerts")
    assert "does not hold just now" in await chief.page("/alerts?lang=en")
