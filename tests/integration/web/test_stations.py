"""Stations at the console and readings over the interface: by region, idempotent, in two languages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from broadcaster.triggers import silence
from tests.harness.pages import reader
from tests.harness.stations import register
from tests.harness.web import OTHER_TOWN, TOWN, Web

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _batch(web: Web, station: str, *values: float, element: str = "water_level") -> dict[str, Any]:
    start = web.clock.now() - timedelta(minutes=5 * len(values))
    return {
        "readings": [
            {
                "station": station,
                "element": element,
                "at": (start + timedelta(minutes=5 * place)).isoformat(),
                "value": value,
            }
            for place, value in enumerate(values, start=1)
        ]
    }


async def test_readings_are_handed_in_with_their_own_right_and_once(web: Web) -> None:
    await register(web.database, "s-1", f"{TOWN}001")
    batch = _batch(web, "s-1", 3.0, 3.1, 9999.0)
    assert (await web.ask("POST", "/api/v1/readings", "author", json=batch)).status == 403
    answer = await web.ask("POST", "/api/v1/readings", "instrument", json=batch)
    assert answer.status == 202
    assert await answer.json() == {"stored": 3, "repeated": 0, "doubtful": 1, "refused": 0, "unknown": []}
    assert (await (await web.ask("POST", "/api/v1/readings", "instrument", json=batch)).json())["repeated"] == 3
    foreign = await web.ask("POST", "/api/v1/readings", "instrument", OTHER_TOWN, json=batch)
    assert (await foreign.json())["unknown"] == ["s-1"]
    assert await web.value("SELECT count(*) FROM reading") == 3
    assert (await web.ask("GET", "/api/v1/alerts", "instrument")).status == 403


async def test_nonsense_is_refused_whole(web: Web) -> None:
    wrong: dict[str, Any]
    for wrong in (
        {"readings": []},
        {"readings": [{"station": "s", "element": "Bad Name", "at": "2026-08-09T19:00:00Z", "value": 1}]},
        {"readings": [{"station": "s", "element": "rainfall", "at": "2026-08-09T19:00:00", "value": 1}]},
        {"readings": [{"station": "", "element": "rainfall", "at": "2026-08-09T19:00:00Z", "value": 1}]},
    ):
        assert (await web.ask("POST", "/api/v1/readings", "instrument", json=wrong)).status == 400


async def test_a_clock_that_is_ahead_is_said_where_the_station_is_shown_as_silent(web: Web) -> None:
    number = await register(web.database, "s-1", f"{TOWN}001")
    await web.ask("POST", "/api/v1/readings", "instrument", json=_batch(web, "s-1", 3.0))
    web.clock.advance(3600)
    ahead = {"station": "s-1", "element": "water_level", "at": (web.clock.now() + timedelta(minutes=20)).isoformat()}
    await web.ask("POST", "/api/v1/readings", "instrument", json={"readings": [{**ahead, "value": 3.0}]})
    await silence.fall_silent(web.database, web.clock.now(), 3)
    somebody = await reader(web, "author", TOWN)
    for place in ("/alerts", "/stations", f"/stations/{number}"):
        assert "时钟超前" in await somebody.page(place)
    web.clock.advance(1800)
    for place in ("/alerts", "/stations", f"/stations/{number}"):
        text = await somebody.page(place)
        assert "时钟超前" not in text
        assert "没有来信" in text


async def test_the_list_and_a_station_show_what_is_measured_in_ones_own_regions(web: Web) -> None:
    mine = await register(web.database, "s-1", f"{TOWN}001", limits={"water_level": {"warning": 3.5}})
    other = await register(web.database, "s-2", f"{OTHER_TOWN}001")
    await web.ask("POST", "/api/v1/readings", "instrument", json=_batch(web, "s-1", 3.0, 3.25, 9999.0, 3.5))
    somebody = await reader(web, "author", TOWN)
    text = await somebody.page("/stations")
    assert "s-1站" in text
    assert "3.5" in text
    assert "s-2" not in text
    page = await somebody.page(f"/stations/{mine}?days=7")
    assert "<polyline" in page
    assert "警戒" in page
    assert "超出合理范围" in page
    await somebody.page(f"/stations/{other}", status=404)
    english = await somebody.page(f"/stations/{mine}?lang=en")
    shown = re.sub(r"s-1站|鄞州区|1001村|中文|0001村", "", re.sub(r"<title>.*?</title>", "", english))
    assert not _CHINESE.search(shown), _CHINESE.findall(shown)
    assert not _CHINESE.search(re.sub(r"s-1站|鄞州区|1001村|中文|0001村", "", await somebody.page("/stations")))
