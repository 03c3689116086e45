"""The driver of emergency broadcast platforms keeps the contract against the rehearsal, in both dialects."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from broadcaster.ports import Audio
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import EBD_PLATFORM_2018, EbdFront, Fronts, Script
from broadcaster.testing import PROMISES, NotPromised, Promise
from channels.loudspeaker.ebd.plugin import EbdPlugin
from tests.contract.patience import unhurried
from tests.contract.rehearsal_peer import WILLING, LowerPlatformPeer, mp3

DIALECTS = {
    "2023": EbdFront(heartbeat=0.0),
    "2018": EbdFront(heartbeat=0.0, profile="2018", code=EBD_PLATFORM_2018, utc_signed=True),
}
OPTIONS: dict[str, object] = {
    "connect_timeout": 2.0,
    "answer_timeout": 2.0,
    "heartbeat": 0.5,
    "missed": 2,
    "gather": 0.1,
    "poll": 0,
    "window": 500,
}


@pytest.fixture(scope="module", params=DIALECTS)
def rehearsal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalProcess]:
    patient = msgspec.structs.replace(WILLING, redeliver_after=5.0)  # a report is signed: that takes its time
    script = Script(loudspeaker=patient, fronts=Fronts(ebd=DIALECTS[request.param]))
    process = RehearsalProcess(tmp_path_factory.mktemp("rehearsal"), script)
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.stop())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return mp3(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise(promise: Promise, rehearsal: RehearsalProcess, sound: Audio) -> None:
    peer = LowerPlatformPeer(rehearsal, sound, OPTIONS)
    try:
        await promise.check(EbdPlugin(alone=timedelta(hours=1)), unhurried(peer, promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
    finally:
        await peer.forget()
