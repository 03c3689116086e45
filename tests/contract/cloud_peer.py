"""A cloud provider of short messages as a peer of the contract kit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.testing import Mood
from tests.harness import aliyun_cloud, tencent_cloud
from tests.harness.cloud import BAD_NUMBER, CloudProcess
from tests.harness.ports import free_port

TOKEN = "a-token-of-enough-characters"
TEXT = (
    "【某某县应急】台风红色预警。11月27日21时发布，涉及东村。请立即转移到村文化礼堂，"
    "详情见 https://warn.example.org/r/Ab3dE"
)
KEYS: dict[str, dict[str, object]] = {
    "aliyun": {
        "access_key_id": aliyun_cloud.KEY_ID,
        "access_key_secret": aliyun_cloud.SECRET,
        "sign": aliyun_cloud.SIGN,
        "templates": {aliyun_cloud.TEMPLATE: aliyun_cloud.CONTENT},
    },
    "tencent": {
        "secret_id": tencent_cloud.SECRET_ID,
        "secret_key": tencent_cloud.SECRET_KEY,
        "app_id": tencent_cloud.APP_ID,
        "sign": tencent_cloud.SIGN,
        "templates": {tencent_cloud.TEMPLATE: tencent_cloud.CONTENT},
    },
}
_numbers = count(1)


def settings(driver: str, port: int, **options: object) -> GatewaySettings:
    """A gateway's settings with short waits."""
    given = {
        **KEYS[driver],
        "endpoint": f"http://127.0.0.1:{port}",
        "callback_token": TOKEN,
        "connect_timeout": 2.0,
        "answer_timeout": 1.0,
        **options,
    }
    return GatewaySettings(f"{driver}-{next(_numbers)}", Medium.SMS, driver, rate=1000, options=given)


class CloudPeer:
    """One provider that listens; it has taken `before` messages for others."""

    def __init__(self, driver: str, cloud: CloudProcess, before: int) -> None:
        self._cloud = cloud
        self._before = before
        self.gateway = settings(driver, cloud.port)
        self.nowhere = settings(driver, free_port())
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message(TEXT)
        self.bad_address = BAD_NUMBER

    def addresses(self, count: int) -> Sequence[str]:
        return [f"138{number:08d}" for number in range(1, count + 1)]

    async def play(self, mood: Mood) -> None:
        await self._cloud.play(mood.value)

    async def taken(self) -> Sequence[str]:
        return [one["key"] for one in (await self._cloud.taken())[self._before :]]

    async def unacknowledged(self) -> int:
        found: int = (await self._cloud.ask("look"))["unacknowledged"]
        return found

    async def say(self, address: str, text: str) -> str:
        said: str = await self._cloud.ask("say", number=address, text=text)
        return said

    async def hang_up(self) -> None:
        await self._cloud.ask("hang up")

    async def call_back(self, address: str) -> None:
        await self._cloud.ask("call back", address=f"{address}?token={TOKEN}")
