"""Stations over real sockets: stored, then confirmed; one process at a time has the port, and another takes it over."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters import hj212, sl651
from adapters.hj212.packet import write
from adapters.sl651.frame import report
from broadcaster import adapters
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.journal import GatewayJournal
from broadcaster.sensing import SensorPlugin, SensorSettings
from broadcaster.triggers import listening
from broadcaster.triggers.listening import Listening
from broadcaster.triggers.readings import Readings
from tests.harness.ports import free_port
from tests.harness.stations import register
from tests.harness.waiting import wait_until
from tests.unit.triggers.test_hj212 import REAL_TIME
from tests.unit.triggers.test_sl651 import frame

TOWN = "330212101"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "RETRY", 0.2)


@asynccontextmanager
async def running(
    database: Database, clock: ManualClock, kind: SensorPlugin, port: int, owner: str = "w-1", **options: object
) -> AsyncIterator[GatewayJournal]:
    made = SensorSettings(name="field", kind=kind.kind, options={"host": "127.0.0.1", "port": port, **options})
    journal = GatewayJournal(clock)
    readings = Readings(database, clock, 400)
    one = Listening(database, clock, readings, made.name, kind.sensor(made, journal), owner, lease=2)
    task = asyncio.create_task(one.run())
    try:
        yield journal
    finally:
        task.cancel()
        await asyncio.wait([task])


async def said(port: int, data: bytes) -> bytes:
    """What is answered over a connection, in as many tries as it takes to get in."""
    for _ in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            answer = await asyncio.wait_for(reader.read(4096), 60)
            writer.close()
        except OSError:
            answer = b""
        if answer:
            return answer
        await asyncio.sleep(0.1)
    return b""


async def stored(database: Database) -> int:
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM reading")
        return count


def test_the_adapters_are_installed() -> None:
    options = {"port": 1}
    made = [SensorSettings(name=kind, kind=kind, options=options) for kind in ("sl651", "hj212")]
    assert set(adapters.sensors(made, lambda _name: GatewayJournal.__new__(GatewayJournal))) == {"sl651", "hj212"}


async def test_stations_are_heard_over_tcp_and_udp(database: Database, clock: ManualClock) -> None:
    clock.advance(20 * 3600)
    await register(database, "12345678", TOWN)
    port = free_port()
    async with running(database, clock, sl651.plugin, port):
        assert (await said(port, report(frame("392300012345"))))[:2] == b"\x7e\x7e"
        assert await stored(database) == 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(30)
            line.sendto(report(frame("261900123438121235")), ("127.0.0.1", port))
            answer = await asyncio.to_thread(line.recv, 4096)
        assert answer[:2] == b"\x7e\x7e"
        assert await stored(database) == 3


async def test_a_monitor_is_answered_when_it_is_stored(database: Database, clock: ManualClock) -> None:
    clock.advance(20 * 3600)
    await register(database, "010000A8900016F000169DC0", TOWN)
    port = free_port()
    async with running(database, clock, hj212.plugin, port):
        assert b"CN=9014" in await said(port, write(REAL_TIME))
        assert await stored(database) == 2


async def test_who_is_not_expected_is_not_let_in(database: Database, clock: ManualClock) -> None:
    port = free_port()
    async with running(database, clock, hj212.plugin, port, allowed=["10.0.0.0/8"]) as journal:
        await wait_until(lambda: _refused(port))
        await wait_until(lambda: any("not let in" in line.text for line in journal.lines))


async def test_another_process_takes_the_port_over(database: Database, clock: ManualClock) -> None:
    clock.advance(20 * 3600)
    await register(database, "12345678", TOWN)
    port = free_port()
    async with running(database, clock, sl651.plugin, port, "w-2"):
        await said(port, report(frame("392300012345")))
        async with running(database, clock, sl651.plugin, port, "w-3") as second:
            await asyncio.sleep(0.5)
            assert not second.lines
            async with database.connection() as connection:
                await connection.execute("UPDATE listener SET lease_until = '2000-01-01'")  # as if it had died
                holder = await wait_until(lambda: _holder(database))
            assert holder in ("w-2", "w-3")
            assert await said(port, report(frame("392300000001")))


async def _holder(database: Database) -> str | None:
    async with database.connection() as connection:
        holder: str | None = await connection.fetchval(
            "SELECT owner FROM listener WHERE lease_until > clock_timestamp()"
        )
        return holder


async def _refused(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await reader.read(10) == b""
        finally:
            writer.close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
