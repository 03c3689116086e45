"""A newer daohu meets one at work: real processes of two versions on one database."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from broadcaster.demo import story
from broadcaster.demo.play import Demo, settled
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents, Script
from broadcaster.schema import VERSION
from tests.crash.judge import Issue, Strikes, judge
from tests.harness.newer import newer_program
from tests.harness.outpost import Plan, outpost
from tests.harness.processes import run_daohu
from tests.harness.waiting import wait_until

QUICK = Behaviour(
    answer=Delay(median=0.02, spread=0.5),
    receipt=Delay(median=0.3, spread=0.7, most=4),
    duty=Duty(silent=0.2, after=Delay(median=1.0, most=4)),
    residents=Residents(share=0.01),
)
RATES = {Medium.SMS: (100.0, 2), Medium.WECHAT: (100.0, 2), Medium.EMAIL: (100.0, 1), Medium.LOUDSPEAKER: (200.0, 1)}


async def test_an_outdated_worker_ends_in_order_and_the_next_one_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("newer")
    newer = newer_program(tmp_path_factory.mktemp("program"), "ALTER TABLE worker ADD COLUMN mood text", breaks=True)
    script = Script(seed=5, sms=QUICK, wechat=QUICK, email=QUICK, loudspeaker=QUICK)
    async with outpost(folder, script, Plan(500, RATES, embedded=True), seed=5) as post:
        began = time.time()
        old = await post.hire()
        first = await Demo(post.house, post.rehearsal).send(story.warning("typhoon", post.house.clock.now()))

        async def sending() -> bool:
            return (await post.progress(first.id)).deliveries["submitted"] > 20

        await wait_until(sending, what="the old worker to be in the midst of it")
        upgrade = await asyncio.to_thread(run_daohu, "doctor", folder=folder, environment=newer, within=90)
        assert upgrade.returncode == 0, upgrade.stdout + upgrade.stderr
        assert await asyncio.to_thread(old.wait, within=30) == 1
        said = old.said()
        assert "process.outdated" in said
        assert "worker.stopped" in said
        assert f"至少第 {VERSION + 1} 版" in said
        assert "请在这台机器上升级程序" in said
        async with post.house.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM gateway_slot WHERE owner IS NOT NULL") == 0
            assert await connection.fetchval("SELECT count(*) FROM batch WHERE state IN (1, 3)") == 0
            assert await connection.fetchval("SELECT count(*) FROM process WHERE knows = $1", VERSION) == 0
        await refuses_to_start(folder)

        successor = await post.hire(environment=newer)

        async def over() -> bool:
            return settled(await post.progress(first.id))

        await wait_until(over, within=120, what="the alert to be settled by the newer worker")
        await asyncio.to_thread(successor.stop)
        issue = Issue(first.id, None, first.alert.expires, final=True)
        verdict = await judge(post, "upgrade", [issue], Strikes((), 0), began)
        assert verdict.objections() == []
        assert verdict.twice == 0


async def refuses_to_start(folder: Path) -> None:
    again = await asyncio.to_thread(run_daohu, "worker", folder=folder, within=60)
    assert again.returncode == 1
    assert "请在这台机器上升级程序" in again.stderr


async def test_a_worker_goes_on_beside_a_newer_program_whose_schema_only_adds(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("adds")
    newer = newer_program(tmp_path_factory.mktemp("program"), "ALTER TABLE delivery ADD COLUMN mood text", breaks=False)
    script = Script(seed=6, sms=QUICK, wechat=QUICK, email=QUICK, loudspeaker=QUICK)
    async with outpost(folder, script, Plan(200, RATES, embedded=True), seed=6) as post:
        old = await post.hire()
        upgrade = await asyncio.to_thread(run_daohu, "doctor", folder=folder, environment=newer, within=90)
        assert upgrade.returncode == 0, upgrade.stdout + upgrade.stderr
        async with post.house.database.connection() as connection:
            assert await connection.fetchval("SELECT max(version) FROM schema_change") == VERSION + 1
        first = await Demo(post.house, post.rehearsal).send(story.warning("typhoon", post.house.clock.now()))

        async def over() -> bool:
            return settled(await post.progress(first.id))

        await wait_until(over, within=120, what="the old worker to have sent everything")
        assert old.running
        assert "process.outdated" not in old.said()
        assert await asyncio.to_thread(old.stop) == 0
