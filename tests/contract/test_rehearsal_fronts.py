"""The drivers of real protocols keep the contract against the rehearsal's fronts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import CarrierFront, Fronts, MailFront, OfficialFront, Script, SipFront, WecomFront
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.patience import unhurried
from tests.contract.rehearsal_peer import ROBOT_KEY, ROBOTS, WILLING, ExchangePeer, FrontPeer, PlatformPeer, tone


class Way(NamedTuple):
    """A driver, and the options that choose its dialect."""

    channel: Medium
    driver: str
    options: dict[str, object]


CARRIER: dict[str, object] = {"connect_timeout": 2.0, "answer_timeout": 1.0, "heartbeat": 0.5}
CALLS: dict[str, object] = {**CARRIER, "lines": 10, "repeats": 1, "key_wait": 0.2, "farewell": 5.0}
WAYS = {
    "cmpp 2.0": Way(Medium.SMS, "cmpp", {**CARRIER, "version": "2.0"}),
    "cmpp 3.0": Way(Medium.SMS, "cmpp", {**CARRIER, "version": "3.0"}),
    "smpp": Way(Medium.SMS, "smpp", CARRIER),
    "sip udp": Way(Medium.VOICE, "sip", {**CALLS, "transport": "udp"}),
    "sip tcp": Way(Medium.VOICE, "sip", {**CALLS, "transport": "tcp"}),
    "smtp": Way(Medium.EMAIL, "smtp", {"timeout": 1, "data_timeout": 0.5}),
}


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalProcess]:
    robots = {f"g{number}": ROBOT_KEY.format(number) for number in range(ROBOTS)}
    fronts = Fronts(
        cmpp=CarrierFront(), smpp=CarrierFront(), smtp=MailFront(), sip=SipFront(),
        official=OfficialFront(), wecom=WecomFront(robots=robots),
    )  # fmt: skip
    patient = msgspec.structs.replace(WILLING, redeliver_after=5.0)  # as long as WeChat waits for an answer
    script = Script(sms=WILLING, email=WILLING, wechat=patient, voice=WILLING, fronts=fronts)
    process = RehearsalProcess(tmp_path_factory.mktemp("rehearsal"), script)
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.stop())


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise_to_the_front(
    promise: Promise, way: Way, rehearsal: RehearsalProcess, tmp_path: Path
) -> None:
    plugin = Registry.installed().plugin(way.channel, way.driver)
    try:
        if way.channel is Medium.VOICE:
            peer: FrontPeer = ExchangePeer(rehearsal, way.options, tone(tmp_path, 0.3))
        else:
            peer = FrontPeer(rehearsal, way.channel, way.driver, way.options)
        await promise.check(plugin, unhurried(peer, promise))
    except NotPromised as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("driver", ["official", "wecom", "robot"])
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise_to_the_platform(
    promise: Promise, driver: str, rehearsal: RehearsalProcess
) -> None:
    plugin, peer = Registry.installed().plugin(Medium.WECHAT, driver), PlatformPeer(rehearsal, driver)
    try:
        await promise.check(plugin, unhurried(peer, promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
    finally:
        await peer.dismiss()
