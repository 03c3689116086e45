"""Requests a second of the drivers that call over HTTP, clouds' and WeChat's, beside a bare aiohttp client in the same
run and at the same server, which is another process and does nothing. `daohu bench driver` measures something else:
what a message costs a driver and its real counterpart, and how full it keeps its window."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import aiohttp
import msgspec
import pytest

from broadcaster.clock import SystemClock
from broadcaster.journal import GatewayJournal
from broadcaster.ports import Accepted, DeliveryKey, Driver, Envelope, GatewaySettings, Journal, Message
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.cloud.plugin import CloudPlugin
from channels.http.exchange import Request
from channels.http.provider import Provider
from channels.sms import aliyun, tencent
from channels.wechat import official, wecom
from channels.wechat.official.plugin import OfficialPlugin
from channels.wechat.official.provider import Official
from channels.wechat.official.settings import OfficialOptions
from channels.wechat.wecom.plugin import WecomPlugin
from channels.wechat.wecom.provider import Wecom
from channels.wechat.wecom.settings import WecomOptions
from tests.contract import cloud_peer, wechat_peer
from tests.harness.official_account import TEMPLATE
from tests.harness.yes_man import saying

WINDOW = 32
MESSAGES = 4000
ROUNDS = 9
GOAL = 0.7
ANSWERS = {
    "aliyun": {"Code": "OK", "Message": "OK", "RequestId": "F655", "BizId": "9006197469364984", "TemplateStatus": "1"},
    "tencent": {
        "Response": {
            "SendStatusSet": [{"SerialNo": "5000:1045710669157053657849499619", "Fee": 1, "Code": "Ok"}],
            "DescribeTemplateStatusSet": [{"TemplateId": 1110, "StatusCode": 0}],
            "RequestId": "a0aabda6",
        }
    },
    "official": {
        "errcode": 0,
        "errmsg": "ok",
        "access_token": "t" * 128,
        "expires_in": 7200,
        "template_list": [{"template_id": TEMPLATE, "content": ""}],
        "msgid": 200_163_836,
    },
    "wecom": {"errcode": 0, "errmsg": "ok", "access_token": "t" * 128, "expires_in": 7200, "msgid": "200163836"},
}
"""To every question: here is a token, a message was taken, and a template is approved."""


@dataclass(frozen=True, slots=True)
class Way:
    """A driver: what it is called with, and how it writes to whom. `provider` makes requests by themselves."""

    build: Callable[[GatewaySettings, Journal], Driver]
    settings: Callable[..., GatewaySettings]
    provider: Callable[[GatewaySettings], Provider]
    address: str
    message: Message

    def envelopes(self) -> list[Envelope]:
        """Personal messages, as they are: every household's link is its own."""
        expires = datetime.now(UTC) + timedelta(hours=1)
        return [
            Envelope(DeliveryKey(1, number, 1), self.address.format(number), self.personal(number), 0, expires)
            for number in range(MESSAGES)
        ]

    def personal(self, number: int) -> Message:
        text, url = (one.replace("Ab3dE", f"{number:05d}") for one in (self.message.text, self.message.url))
        return msgspec.structs.replace(self.message, text=text, url=url)


def cloud(plugin: CloudPlugin[Any]) -> Way:
    def provider(gateway: GatewaySettings) -> Provider:
        return plugin.provider(plugin.options.read(gateway), MemoryJournal(), plugin.now)

    return Way(plugin.build, partial(cloud_peer.settings, plugin.name), provider, "138{:08d}", Message(cloud_peer.TEXT))


def wechat(plugin: OfficialPlugin | WecomPlugin, provider: Callable[[GatewaySettings], Provider]) -> Way:
    settings, address = partial(wechat_peer.settings, plugin.name), wechat_peer.ADDRESS[plugin.name]
    return Way(plugin.build, settings, provider, address, wechat_peer.MESSAGE)


WAYS = {
    "aliyun": cloud(aliyun.plugin),
    "tencent": cloud(tencent.plugin),
    "official": wechat(official.plugin, lambda gateway: Official(OfficialOptions.read(gateway))),
    "wecom": wechat(wecom.plugin, lambda gateway: Wecom(WecomOptions.read(gateway))),
}


async def rate(work: Callable[[], Awaitable[None]]) -> float:
    begin = time.perf_counter()
    await work()
    return MESSAGES / (time.perf_counter() - begin)


async def bare(session: aiohttp.ClientSession, requests: Sequence[Request]) -> None:
    """The same requests, signed beforehand, by a loop that does nothing else: answers are read and not looked at."""
    left = iter(requests)

    async def work() -> None:
        for request in left:
            async with session.post(request.url, data=request.body or None, headers=request.headers) as answer:
                await answer.read()

    await asyncio.gather(*(work() for _ in range(WINDOW)))


async def by_driver(driver: Driver, batch: list[Envelope]) -> None:
    taken = 0
    async for outcome in driver.send(batch):
        assert isinstance(outcome, Accepted)
        taken += 1
    assert taken == MESSAGES


def requests(way: Way, gateway: GatewaySettings, batch: Sequence[Envelope]) -> list[Request]:
    """What the driver writes for each."""
    provider = way.provider(gateway)
    return [provider.request([envelope]) for envelope in batch]


@pytest.mark.soak
@pytest.mark.parametrize("name", list(WAYS))
async def test_the_driver_is_nearly_as_fast_as_a_bare_client(name: str) -> None:
    bares, drivers, way = [], [], WAYS[name]
    with saying(json.dumps(ANSWERS[name])) as port:
        gateway, batch = way.settings(port, window=WINDOW, answer_timeout=30.0), way.envelopes()
        driver = way.build(gateway, GatewayJournal(SystemClock()))
        await driver.open(MemoryInbox())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            for _ in range(ROUNDS):
                bares.append(await rate(partial(bare, session, requests(way, gateway, batch))))
                drivers.append(await rate(partial(by_driver, driver, batch)))
        await driver.close()
    share = median(one / other for one, other in zip(drivers, bares, strict=True))  # each round's, whatever else runs
    sys.stdout.write(
        f"\n{name}: driver {median(drivers):.0f}/s, bare aiohttp {median(bares):.0f}/s ({share:.0%}); rounds "
        + " ".join(f"{one:.0f}:{other:.0f}" for one, other in zip(drivers, bares, strict=True))
        + "\n"
    )
    assert share >= GOAL
