"""Against a broker that nobody here wrote: whatever is killed and started again mid-stream, no reading is lost."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from adapters.mqtt import plugin
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.journal import GatewayJournal
from broadcaster.sensing import SensorSettings
from broadcaster.triggers import listening
from broadcaster.triggers.listening import Listening
from broadcaster.triggers.readings import Readings
from tests.harness.certificates import certificates
from tests.harness.mosquitto import PASSWORD, USER, Mosquitto, mosquitto
from tests.harness.stations import register
from tests.harness.waiting import wait_until

TOWN = "330212101"
STATIONS, EACH = 4, 150


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as running:
        yield running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "RETRY", 0.2)


def settings(port: int, **options: object) -> SensorSettings:
    return SensorSettings(
        name="iot",
        kind="mqtt",
        options={
            "host": "127.0.0.1",
            "port": port,
            "client_id": "daohu-test",
            "username": USER,
            "password": PASSWORD,
            "topics": [
                {"topic": "up/+", "station": "topic:1", "time": "json:t", "values": {"level": "water_level"}},
            ],
            **options,
        },
    )


@asynccontextmanager
async def running(database: Database, clock: ManualClock, made: SensorSettings) -> AsyncIterator[GatewayJournal]:
    """The adapter as a worker runs it, ended hard: what is on its way is lost to it."""
    journal = GatewayJournal(clock)
    readings = Readings(database, clock, 30)
    one = Listening(database, clock, readings, made.name, plugin.sensor(made, journal), f"w-{id(journal)}", lease=3)
    task = asyncio.create_task(one.run())
    try:
        yield journal
    finally:
        task.cancel()
        await asyncio.wait([task])


async def publish(port: int, clock: ManualClock, numbers: range, **options: Any) -> None:
    """Every number as one message of each station; again and again until the broker has confirmed it."""
    left = [(station, number) for number in numbers for station in range(STATIONS)]
    while left:
        with suppress(aiomqtt.MqttError, OSError):
            async with aiomqtt.Client(
                "127.0.0.1", port, username=USER, password=PASSWORD, identifier="gauge", timeout=5, **options
            ) as client:
                while left:
                    station, number = left[0]
                    at = clock.now() - timedelta(seconds=EACH * 10 - number)
                    await client.publish(
                        f"up/s-{station}", json.dumps({"t": at.timestamp(), "level": number / 100}), qos=1
                    )
                    left.pop(0)
        await asyncio.sleep(0.05)


async def stored(database: Database) -> int:
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM reading")
        return count


async def stations(database: Database) -> None:
    for number in range(STATIONS):
        await register(database, f"s-{number}", TOWN)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_nothing_is_lost_when_we_and_the_broker_are_restarted_mid_stream(
    database: Database, clock: ManualClock, broker: Mosquitto, version: str
) -> None:
    await stations(database)
    made = settings(broker.port, version=version)
    async with running(database, clock, made) as journal:  # the session is known to the broker from now on
        await wait_until(lambda: any("subscribed" in line.text for line in journal.lines))
    publishing = asyncio.create_task(publish(broker.port, clock, range(EACH)))
    for _ in range(3):
        before = await stored(database)
        async with running(database, clock, made):
            await wait_until(partial(_more, database, before), what="readings to come")
        await asyncio.sleep(0.1)
    async with running(database, clock, made):
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(broker.start)
        await publishing
        await wait_until(lambda: _all(database), within=120, what="every reading to be stored")
    assert await stored(database) == STATIONS * EACH


async def test_nothing_is_lost_when_the_broker_is_killed_while_we_are_away(
    database: Database, clock: ManualClock, broker: Mosquitto
) -> None:
    await stations(database)
    made = settings(broker.port)
    async with running(database, clock, made) as journal:
        await wait_until(lambda: any("subscribed" in line.text for line in journal.lines))
    await publish(broker.port, clock, range(EACH))
    await asyncio.sleep(2)  # the broker writes its store every second
    await asyncio.to_thread(broker.stop, signal.SIGKILL)
    await asyncio.to_thread(broker.start)
    async with running(database, clock, made):
        await wait_until(lambda: _all(database), within=120, what="every reading to be stored")


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    database: Database, clock: ManualClock, broker: Mosquitto
) -> None:
    await stations(database)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE series RENAME TO away")
    async with running(database, clock, settings(broker.port)) as journal:
        await wait_until(lambda: any("subscribed" in line.text for line in journal.lines))
        await publish(broker.port, clock, range(3))
        await asyncio.sleep(0.5)
        async with database.connection() as connection:
            await connection.execute("ALTER TABLE away RENAME TO series")
        await wait_until(lambda: _count(database, 3 * STATIONS), what="the readings to come again")


async def test_it_speaks_tls_and_shares_a_subscription(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    made_up = certificates(tmp_path)
    await stations(database)
    with mosquitto(made_up) as broker:
        made = settings(
            broker.tls_port, host="localhost", tls=True, ca=str(made_up.authority), share="office", version="5"
        )
        async with running(database, clock, made) as journal:
            await wait_until(lambda: any("subscribed" in line.text for line in journal.lines))
            await publish(broker.port, clock, range(5))
            await wait_until(lambda: _count(database, 5 * STATIONS), what="the readings")


async def test_a_broker_that_refuses_us_is_told_of(database: Database, clock: ManualClock, broker: Mosquitto) -> None:
    async with running(database, clock, settings(broker.port, password="wrong")):

        async def told() -> str:
            async with database.connection() as connection:
                return await connection.fetchval("SELECT trouble FROM listener WHERE name = 'iot'") or ""

        trouble = await wait_until(told, what="the trouble to be told")
    assert "MQTT" in trouble
    assert "wrong" not in trouble


async def _more(database: Database, before: int) -> bool:
    return before < await stored(database) or await _all(database)


async def _all(database: Database) -> bool:
    return await _count(database, STATIONS * EACH)


async def _count(database: Database, wanted: int) -> bool:
    return await stored(database) >= wanted
