"""The five rehearsal drivers keep the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from broadcaster.ports import Audio, Medium
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Script
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.patience import unhurried
from tests.contract.rehearsal_peer import WILLING, RehearsalPeer, tone


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalProcess]:
    script = Script(sms=WILLING, wechat=WILLING, email=WILLING, voice=WILLING, loudspeaker=WILLING)
    process = RehearsalProcess(tmp_path_factory.mktemp("rehearsal"), script)
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.stop())


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return tone(tmp_path_factory.mktemp("audio"))


@pytest.mark.parametrize("channel", list(Medium), ids=str)
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_rehearsal_driver_keeps_its_promise(
    promise: Promise, channel: Medium, rehearsal: RehearsalProcess, audio: Audio
) -> None:
    plugin = Registry.installed().plugin(channel, "rehearsal")
    try:
        await promise.check(plugin, unhurried(RehearsalPeer(rehearsal, channel, audio), promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
