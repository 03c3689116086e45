"""The SMTP driver keeps the contract, against a relay in another process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from broadcaster.ports import DeliveryKey, GatewaySettings, Medium, Message
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, Mood, NotPromised, Promise
from channels.email.settings import SmtpSettings
from channels.email.wire import verp
from tests.contract.patience import unhurried
from tests.harness.mail_relay import RelayProcess, running_relay
from tests.harness.mails import TOKEN
from tests.harness.ports import free_port

_KEY = re.compile(r"ENVID=([0-9-]+)\.")


class RelayPeer:
    """A relay as a peer of the contract kit."""

    def __init__(self, relay: RelayProcess, before: int, back: int) -> None:
        self._relay = relay
        self._before = before
        self.back = back
        options = {
            "host": "127.0.0.1",
            "port": relay.port,
            "tls": "none",
            "sender": "yujing@ebs.example.cn",
            "return_path": "bounce@ebs.example.cn",
            "reply_to": "huifu@ebs.example.cn",
            "replies": True,
            "bounce_token": TOKEN,
            "listen": f"127.0.0.1:{back}",
            "timeout": 2,
            "data_timeout": 2,
        }
        self.gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=100, options=options)
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
        return await self._relay.owed()

    async def say(self, address: str, text: str) -> str:
        sealed = SmtpSettings.read(self.gateway).reply_seal.write(DeliveryKey(1, 1, 1))
        to = verp("huifu@ebs.example.cn", sealed)
        head = f"From: {address}\nTo: {to}\nMessage-ID: <r1@example.org>\nContent-Type: text/plain; charset=utf-8"
        await self._relay.say(to, f"{head}\n\n{text}\n\n> 请回复\n")
        return "<r1@example.org>"

    async def hang_up(self) -> None:
        await self._relay.cut()


@pytest.fixture(scope="module", params=["PIPELINING", "HELP"], ids=["pipelined", "step by step"])
def relay(request: pytest.FixtureRequest) -> Iterator[RelayProcess]:
    with running_relay("DSN", "SMTPUTF8", request.param) as relay:
        yield relay


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_smtp_driver_keeps_its_promise(promise: Promise, relay: RelayProcess) -> None:
    plugin = Registry.installed().plugin(Medium.EMAIL, "smtp")
    peer = RelayPeer(relay, len(await relay.taken()), free_port())
    await relay.hand_back(peer.back)
    try:
        await promise.check(plugin, unhurried(peer, promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
