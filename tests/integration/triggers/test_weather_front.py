"""The rehearsal's weather at our doors: each reading stored once, however often it is said; the office's feed read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
import feedparser
import pytest
from aiohttp import web

from adapters import mqtt, sl651
from adapters.cap.source import plugin as cap
from broadcaster.alerts.alert import Colour, MsgType, Status
from broadcaster.clock import SystemClock
from broadcaster.database import Database
from broadcaster.errors import InputError
from broadcaster.journal import GatewayJournal
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Fronts, MqttFront, Script, WeatherFront
from broadcaster.rehearsal.storm.river import REACHES
from broadcaster.rehearsal.storm.storm import GAUGES, PUBLISHING
from broadcaster.sensing import SensorSettings
from broadcaster.sources import Heard, Item, SourceSettings, Verdict
from broadcaster.triggers.listening import Listening
from broadcaster.triggers.readings import Readings
from tests.harness.ports import free_port
from tests.harness.stations import register
from tests.harness.waiting import wait_until

TOWN = "330212101"
WITHIN = 120.0
FAST = 0.05
"""Seconds to the storm's hour: it is over in less than one."""


@asynccontextmanager
async def rehearsed(folder: Path, weather: WeatherFront) -> AsyncIterator[RehearsalProcess]:
    async with RehearsalProcess(folder / "rehearsal", Script(seed=5, fronts=Fronts(weather=weather))) as process:
        yield process


@asynccontextmanager
async def centre(database: Database, port: int) -> AsyncIterator[None]:
    clock = SystemClock()
    options = {"host": "127.0.0.1", "port": port, "transports": ["tcp"], "seconds": True}
    made = SensorSettings(name="field", kind="sl651", options=options)
    sensor = sl651.plugin.sensor(made, GatewayJournal(clock))
    task = asyncio.create_task(Listening(database, clock, Readings(database, clock, 30), "field", sensor, "w").run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_a_station_does_not_know_to_be_stored_it_says_again_and_it_is_stored_once(
    database: Database, tmp_path: Path
) -> None:
    for reach in REACHES:
        await register(database, reach.station, TOWN)
    port = free_port()
    weather = WeatherFront(dial=f"tcp:127.0.0.1:{port}", hour=2.0, unheard=0.4, cut=0.05, patience=0.5, redial=0.1)
    async with rehearsed(tmp_path, weather) as rehearsal, centre(database, port):
        await rehearsal.client.storm()

        def enough() -> bool:
            report = rehearsal.report()
            again = {one.station for one in report.stored if one.tries > 1}
            return len(again) == len(REACHES) and len(report.stored) > 20

        await wait_until(enough, within=WITHIN)
        report = rehearsal.report()
        async with database.connection() as connection:
            rows = await connection.fetch(
                "SELECT s.code, extract(epoch FROM d.at)::float8 AS at, d.value FROM reading d"
                " JOIN series e ON e.id = d.series_id JOIN station s ON s.id = e.station_id"
                " WHERE e.element = 'water_level' ORDER BY 1, 2"
            )
    there = {(row["code"], int(row["at"])): row["value"] for row in rows}
    assert len(there) == len(rows), "each once"
    measured = {(one.station, int(one.at)): dict(one.values)["water_level"] for one in report.measured}
    assert {(one.station, int(one.measured)) for one in report.stored} <= there.keys(), "what is confirmed is there"
    assert {key: there[key] for key in there.keys() & measured.keys()} == {
        key: value for key, value in measured.items() if key in there
    }


async def test_what_was_measured_while_nobody_listened_comes_afterwards(database: Database, tmp_path: Path) -> None:
    for reach in REACHES:
        await register(database, reach.station, TOWN)
    port = free_port()
    weather = WeatherFront(dial=f"tcp:127.0.0.1:{port}", patience=0.5, redial=0.1)
    async with rehearsed(tmp_path, weather) as rehearsal:
        async with centre(database, port):
            await wait_until(lambda: {one.station for one in rehearsal.report().stored} == _all(), within=WITHIN)
        seen = len(rehearsal.report().measured)
        await wait_until(lambda: len(rehearsal.report().measured) >= seen + 8, within=WITHIN)
        missed = {(one.station, one.at) for one in rehearsal.report().measured}
        async with centre(database, port):
            await wait_until(
                lambda: missed <= {(one.station, one.measured) for one in rehearsal.report().stored}, within=WITHIN
            )


def _all() -> set[str]:
    return {reach.station for reach in REACHES}


class Shelf:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    async def known(self, marks: Sequence[str]) -> frozenset[str]:
        return frozenset(marks) & {item.mark for item in self.items}

    async def keep(self, items: Sequence[Item]) -> int:
        self.items += items
        return len(items)


async def test_the_offices_warnings_come_by_feed_as_one_lineage_and_are_what_cap_asks_for(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, WeatherFront(hour=FAST)) as rehearsal:
        at = rehearsal.fronts["weather"]
        settings = SourceSettings(
            name="office", kind="cap", address=f"http://{at.host}:{at.port}/cap.atom", private=True
        )
        source, shelf = cap.build(settings), Shelf()
        assert isinstance(before := await source.visit(shelf, {}), Heard)
        assert before.offered == 0, "before the storm there is nothing to say"
        await rehearsal.client.storm()
        await wait_until(lambda: len(rehearsal.report().published) == 5, within=WITHIN)
        heard = await source.visit(shelf, {})
        assert isinstance(heard, Heard)
        again = await source.visit(shelf, heard.memory)
        await source.close()
        await wait_until(lambda: len(rehearsal.report().visits) >= 3, what="the third visit in the book")
        report = rehearsal.report()
        index = await asyncio.to_thread(feedparser.parse, settings.address)
        with pytest.raises(InputError):
            await rehearsal.client.storm()
    assert (heard.new, heard.remarks) == (5, ())
    assert isinstance(again, Heard)
    assert again.new == 0
    assert [one.status for one in report.visits] == [200, 200, 304], "what is known is not sent again"
    judged = [source.judge(item.document, datetime.now(UTC)) for item in shelf.items]
    assert [(one.verdict, one.reasons) for one in judged] == [(Verdict.ACCEPTED, ())] * 5
    alerts = [one.alert for one in judged if one.alert is not None]
    kinds = [MsgType.ALERT, MsgType.UPDATE, MsgType.UPDATE, MsgType.UPDATE, MsgType.CANCEL]
    assert [alert.msg_type for alert in alerts] == kinds
    assert [alert.colour for alert in alerts[:4]] == [Colour.BLUE, Colour.YELLOW, Colour.ORANGE, Colour.RED]
    assert {(alert.status, alert.hazard) for alert in alerts} == {(Status.EXERCISE, "rainstorm")}
    for place, alert in enumerate(alerts):
        assert [one.identifier for one in alert.references] == [one.identifier for one in alerts[:place]]
    assert not index.bozo
    assert [entry.title for entry in reversed(index.entries)] == [alert.infos[0].headline for alert in alerts]


async def test_gauges_hand_in_all_they_counted_until_it_is_taken(tmp_path: Path) -> None:
    taken: list[dict[str, object]] = []
    asked: list[str] = []

    async def readings(request: web.Request) -> web.Response:
        asked.append(request.headers["Authorization"])
        body = await request.json()
        if len(asked) < 3:
            return web.Response(status=503)
        taken.extend(body["readings"])
        return web.json_response({}, status=202)

    app = web.Application()
    app.router.add_post("/api/v1/readings", readings)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with rehearsed(tmp_path, WeatherFront(hour=FAST, period=0.2)) as rehearsal:
            await rehearsal.client.storm(f"http://127.0.0.1:{port}/api/v1/readings", "a token")
            await wait_until(lambda: len(rehearsal.report().stored) >= 6 * len(GAUGES), within=WITHIN)
            report = rehearsal.report()
    finally:
        await runner.cleanup()
    assert set(asked) == {"Bearer a token"}
    keys = [json.dumps([one["station"], one["at"]]) for one in taken]
    assert len(keys) == len(set(keys)), "what is taken is not handed in again"
    confirmed = {(one.station, one.measured) for one in report.stored}
    handed_in = {(one["station"], datetime.fromisoformat(str(one["at"])).timestamp()) for one in taken}
    assert confirmed <= handed_in
    assert {one.station for one in report.stored} == {gauge.station for gauge in GAUGES}
    assert max(one.tries for one in report.stored) == 3


async def test_every_second_gauge_publishes_by_mqtt_what_our_session_stores_once(
    database: Database, tmp_path: Path
) -> None:
    for gauge in PUBLISHING:
        await register(database, gauge.station, TOWN)
    broker = f"tcp:127.0.0.1:{free_port()}"
    script = Script(seed=5, fronts=Fronts(
        mqtt=MqttFront(listen=broker), weather=WeatherFront(broker=broker, hour=2.0, period=0.1)
    ))  # fmt: skip
    async with RehearsalProcess(tmp_path / "rehearsal", script) as rehearsal:
        await rehearsal.client.storm()
        async with listening(database, "gauges", rehearsal.fronts["mqtt"].port):
            await wait_until(partial(_all_stored, database), within=WITHIN)
        seen = len(rehearsal.report().stored)
        await wait_until(lambda: len(rehearsal.report().stored) >= seen + 12, within=WITHIN)
        async with listening(database, "gauges", rehearsal.fronts["mqtt"].port):
            await wait_until(partial(_none_missing, database, rehearsal.report()), within=WITHIN)
        report = rehearsal.report()
    assert {one.station for one in report.measured} == {gauge.station for gauge in PUBLISHING}
    assert {one.way for one in report.measured} == {"mqtt"}


@asynccontextmanager
async def listening(database: Database, client: str, port: int) -> AsyncIterator[None]:
    """The adapter's session with the broker, as a worker runs it; ended hard."""
    clock = SystemClock()
    topic = {"topic": "hydrology/rain/+", "station": "topic:2", "time": "json:time",
             "values": {"rain_total": "rain_total"}}  # fmt: skip
    options = {"host": "127.0.0.1", "port": port, "client_id": client, "topics": [topic]}
    made = SensorSettings(name="gauges", kind="mqtt", options=options)
    sensor = mqtt.plugin.sensor(made, GatewayJournal(clock))
    task = asyncio.create_task(Listening(database, clock, Readings(database, clock, 30), "gauges", sensor, "w").run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _kept(database: Database) -> list[tuple[str, float, float]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT s.code, extract(epoch FROM d.at)::float8 AS at, d.value FROM reading d"
            " JOIN series e ON e.id = d.series_id JOIN station s ON s.id = e.station_id"
            " WHERE e.element = 'rain_total'"
        )
    return [(row["code"], round(row["at"], 3), row["value"]) for row in rows]


async def _all_stored(database: Database) -> bool:
    return {code for code, _, _ in await _kept(database)} == {gauge.station for gauge in PUBLISHING}


async def _none_missing(database: Database, report: Report) -> bool:
    """Whether everything is there, once, that the broker had confirmed, when the report was made, since our session was
    known to it. What was measured after that is there too, or not yet."""
    kept = await _kept(database)
    first = min(at for _, at, _ in kept)
    values = {(one.station, round(one.at, 3)): dict(one.values)["rain_total"] for one in report.measured}
    owed = {(one.station, round(one.measured, 3)) for one in report.stored if one.measured > first + 1}
    assert len(kept) == len({(code, at) for code, at, _ in kept})
    assert all(values.get((code, at), value) == value for code, at, value in kept)
    return owed <= {(code, at) for code, at, _ in kept}


async def test_a_client_of_dates_or_tags_gets_the_feed_once_and_again_when_there_is_news(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, WeatherFront(hour=FAST)) as rehearsal, aiohttp.ClientSession() as session:
        at = rehearsal.fronts["weather"]

        async def ask(name: str, **fields: str) -> aiohttp.ClientResponse:
            async with session.get(f"http://{at.host}:{at.port}/{name}", headers=fields) as answer:
                await answer.read()
                return answer

        first = await ask("cap.atom")
        tag, date = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}, first.headers["Last-Modified"]
        known = [await ask("cap.atom", **tag), await ask("cap.atom", **{"If-Modified-Since": date})]
        await rehearsal.client.storm()
        await wait_until(lambda: len(rehearsal.report().published) == 5, within=WITHIN)
        news = [await ask("cap.atom", **tag), await ask("cap.atom", **{"If-Modified-Since": date})]
        both = await ask("cap.atom", **tag, **{"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
        nonsense = await ask("cap.atom", **{"If-Modified-Since": "yesterday"})
        name = f"cap/{rehearsal.report().published[0].identifier}.xml"
        document = await ask(name)
        again = await ask(name, **{"If-None-Match": document.headers["ETag"]})
    assert [one.status for one in known] == [304, 304]
    assert [one.headers["ETag"] for one in known] == [first.headers["ETag"]] * 2
    assert [one.status for one in (*news, both, nonsense)] == [200] * 4
    assert (document.status, again.status) == (200, 304)
