"""The SMTP driver keeps the contract, against a relay in another process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, Mood, NotPromised, Promise
from tests.harness.mail_relay import RelayProcess, running_relay
from tests.harness.ports import free_port

_KEY = re.compile(r"ENVID=([0-9-]+)\.")


class RelayPeer:
    """A relay as a peer of the contract kit."""

    def __init__(self, relay: RelayProcess, before: int) -> None:
        self._relay = relay
        self._before = before
        options = {"host": "127.0.0.1", "port": relay.port, "tls": "none", "sender": "yujing@ebs.example.cn"}
        waits = {"timeout": 1, "data_timeout": 0.5}
        self.gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=100, options={**options, **waits})
        self.nowhere = replace(self.gateway, options={**self.gateway.options, "port": free_port()})
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message("【演练】台风红色预警，请立即转移。", subject="台风红色预警", html="<p>请立即转移</p>")
        self.bad_address = "nobody.example.com"

    def addresses(self, count: int) -> Sequence[str]:
        return [f"resident{number}@example.org" for number in range(count)]

    async def play(self, mood: Mood) -> None:
        await self._relay.play(mood.value)

    async def taken(self) -> Sequence[str]:
        taken = (await self._relay.taken())[self._before :]
        keys = (_KEY.search(" ".join(mail["mail_options"])) for mail in taken)
        return [key[1] if key else "" for key in keys]

    async def unacknowledged(self) -> int:
        return 0

    async def say(self, address: str, text: str) -> str:
        raise NotImplementedError("mail replies are not read")

    async def hang_up(self) -> None:
        await self._relay.cut()


@pytest.fixture(scope="module")
def relay() -> Iterator[RelayProcess]:
    with running_relay("DSN", "SMTPUTF8") as relay:
        yield relay


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_smtp_driver_keeps_its_promise(promise: Promise, relay: RelayProcess) -> None:
    plugin = Registry.installed().plugin(Medium.EMAIL, "smtp")
    peer = RelayPeer(relay, len(await relay.taken()))
    try:
        await promise.check(plugin, peer)
    except NotPromised as reason:
        pytest.skip(str(reason))
