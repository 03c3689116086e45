"""The doorbell makes things sooner; without Redis, or with an emptied one, they still happen."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

from broadcaster.doorbell import Doorbell, JobQueue, run_jobs
from broadcaster.embedded import EmbeddedServers
from broadcaster.errors import UnavailableError
from tests.harness.waiting import wait_until

NOWHERE = "unix:///nowhere/valkey.sock"


@pytest.fixture
async def bell(redis_url: str) -> AsyncIterator[Doorbell]:
    doorbell = Doorbell(redis_url)
    yield doorbell
    await doorbell.close()


async def test_a_ring_wakes_every_ear_on_its_topic_and_no_other(bell: Doorbell) -> None:
    async with bell.listen("work", "stop") as first, bell.listen("work") as second, bell.listen("else") as other:
        for ear in (first, second, other):
            assert await ear.heard(5)  # connected: it may have missed something before
        assert await bell.ring("work")
        assert await first.heard(5)
        assert await second.heard(5)
        assert not await other.heard(0.05)


async def test_rings_while_nobody_waits_are_heard_once(bell: Doorbell) -> None:
    async with bell.listen("work") as ear:
        assert await ear.heard(5)
        for _ in range(3):
            await bell.ring("work")
        assert await ear.heard(5)
        await asyncio.sleep(0)
        while await ear.heard(0.05):
            pass
        assert not await ear.heard(0.05)


async def test_without_redis_ringing_is_quick_and_listening_wakes_at_its_own_pace() -> None:
    bell = Doorbell(NOWHERE)
    async with bell.listen("work") as ear, asyncio.timeout(60):
        assert not await bell.ring("work")
        assert not await bell.answers()
        assert not await ear.heard(0.01)
        assert not ear.connected
    await bell.close()


async def test_an_ear_comes_back_by_itself_after_redis_was_away() -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        servers = EmbeddedServers(Path(folder), servers=["valkey"])
        bell = Doorbell(servers.start().redis_url)
        async with bell.listen("work") as ear:
            await wait_until(lambda: ear.connected)
            servers.stop()
            await wait_until(lambda: not ear.connected)
            servers.start()
            await wait_until(lambda: ear.connected)
            while await ear.heard(0.01):
                pass
            await wait_until(lambda: bell.ring("work"))
            assert await ear.heard(5)
        await bell.close()
        servers.stop()


async def test_a_cut_connection_is_replaced(bell: Doorbell, redis_url: str) -> None:
    async with bell.listen("work") as ear, redis.asyncio.Redis.from_url(redis_url) as admin:
        assert await ear.heard(5)
        await admin.client_kill_filter(_type="pubsub")
        assert await ear.heard(5)  # reconnected
        assert await bell.ring("work")
        assert await ear.heard(5)


async def test_jobs_run_with_their_arguments_and_a_key_queues_once(redis_url: str) -> None:
    seen: list[tuple[object, ...]] = []
    attempts: list[int] = []

    async def export(*arguments: object) -> None:
        seen.append(arguments)

    async def fails(number: int) -> None:
        raise ValueError(number)

    async def later() -> None:
        attempts.append(1)
        raise UnavailableError("not yet")

    queue = JobQueue(redis_url)
    assert await queue.enqueue("export", 7, "csv", None, key="export-7")
    assert not await queue.enqueue("export", 7, "csv", None, key="export-7")
    assert await queue.enqueue("fails", 1)
    assert await queue.enqueue("unheard-of")
    assert await queue.enqueue("later")
    running = asyncio.create_task(
        run_jobs(redis_url, {"export": export, "fails": fails, "later": later}, at_once=2, poll=0.02)
    )
    await wait_until(lambda: seen == [(7, "csv", None)] and attempts)
    await wait_until(lambda: queue.enqueue("export", 8, key="export-7"))  # done, so the key is free again
    await wait_until(lambda: len(seen) == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with redis.asyncio.Redis.from_url(redis_url) as admin:
        assert not [key async for key in admin.scan_iter("arq:result:*")]
    await queue.close()


async def test_running_jobs_ends_at_whatever_moment_it_is_cancelled(redis_url: str) -> None:
    """Redis' client takes a cancellation for nothing when it meets the end of its own write."""

    async def nothing() -> None:
        pass

    for turns in range(0, 160, 10):
        running = asyncio.create_task(run_jobs(redis_url, {"nothing": nothing}, poll=0))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        over, _ = await asyncio.wait({running}, timeout=60)
        assert over, f"still running when cancelled after {turns} turns"


async def test_enqueueing_without_redis_says_no() -> None:
    queue = JobQueue(NOWHERE)
    assert not await queue.enqueue("export", 1)
    await queue.close()


async def test_running_jobs_survives_an_emptied_redis(redis_url: str) -> None:
    seen: list[int] = []

    async def note(number: int) -> None:
        seen.append(number)

    queue = JobQueue(redis_url)
    running = asyncio.create_task(run_jobs(redis_url, {"note": note}, poll=0.02))
    await queue.enqueue("note", 1)
    await wait_until(lambda: seen == [1])
    async with redis.asyncio.Redis.from_url(redis_url) as admin:
        await admin.flushall()
    await queue.enqueue("note", 2)
    await wait_until(lambda: seen == [1, 2])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await queue.close()


async def test_a_redis_that_never_answers_holds_nobody_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    jobs, bell = JobQueue(url), Doorbell(url)
    async with asyncio.timeout(60):
        assert not await jobs.enqueue("prepare", 1)
        assert not await bell.ring("work")
    server.close()
    await jobs.close()
    await bell.close()
