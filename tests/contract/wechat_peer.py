"""WeChat's platforms as peers of the contract kit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.settings.rules import Secret
from broadcaster.testing import Mood
from tests.harness import official_account, wecom
from tests.harness.cloud import CloudProcess
from tests.harness.ports import free_port
from tests.harness.wechat_notice import AES_KEY, APPID, CORPID, TOKEN

FIELDS = {"thing1": "keyword1", "thing2": "keyword2", "time3": "keyword3", "thing5": "keyword5"}
KEYS: dict[str, dict[str, object]] = {
    "official": {
        "appid": APPID,
        "secret": Secret(official_account.SECRET),
        "template": official_account.TEMPLATE,
        "fields": FIELDS,
        "token": Secret(TOKEN),
        "aes_key": Secret(AES_KEY),
    },
    "wecom": {
        "corpid": CORPID,
        "agent": wecom.AGENT,
        "secret": Secret(wecom.SECRET),
        "token": Secret(TOKEN),
        "aes_key": Secret(AES_KEY),
    },
    "robot": {"groups": {f"group-{number}": Secret(wecom.ROBOT_KEY.format(number)) for number in range(wecom.GROUPS)}},
}
PLATFORM = {"official": "official", "wecom": "wecom", "robot": "wecom"}
ADDRESS = {"official": "oDaohuRehearsal{:013}", "wecom": "wecom:member{}", "robot": "group:group-{}"}
BAD_ADDRESS = {"official": official_account.STRANGER, "wecom": f"wecom:{wecom.STRANGER}1", "robot": "group:nowhere"}
CARD = {
    "first": "【演练】下应街道网格员：台风红色预警",
    "keyword1": "【演练】台风红色预警",
    "keyword2": "鄞州区应急管理局",
    "keyword3": "11月27日21时30分发布",
    "keyword4": "下应街道",
    "keyword5": "立即落实，收到请回复1",
    "remark": "收到请回复1。请立即：转移危房住户。【演练】",
}
TEXT = (
    "【鄞州区应急管理局】【演练】下应街道网格员：台风红色预警。\n请立即：转移危房住户。\n收到请回复1。\n"
    "确认和入户名单：https://warn.example.org/r/Ab3dE"
)
MESSAGE = Message(TEXT, subject="【演练】台风红色预警", fields=CARD, url="https://warn.example.org/r/Ab3dE", answer="1")
_numbers = count(1)


def settings(driver: str, port: int, **options: object) -> GatewaySettings:
    """A gateway's settings with short waits."""
    given = {
        **KEYS[driver],
        "endpoint": f"http://127.0.0.1:{port}",
        "connect_timeout": 2.0,
        "answer_timeout": 1.0,
        **options,
    }
    return GatewaySettings(f"{driver}-{next(_numbers)}", Medium.WECHAT, driver, rate=1000, options=given)


class WechatPeer:
    """One platform that listens; it has taken `before` messages for others."""

    def __init__(self, driver: str, platform: CloudProcess, before: int) -> None:
        self._driver = driver
        self._platform = platform
        self._before = before
        self.gateway = settings(driver, platform.port)
        self.nowhere = settings(driver, free_port())
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = MESSAGE
        self.bad_address = BAD_ADDRESS[driver]

    def addresses(self, count: int) -> Sequence[str]:
        return [ADDRESS[self._driver].format(number) for number in range(count)]

    async def play(self, mood: Mood) -> None:
        await self._platform.play(mood.value)

    async def taken(self) -> Sequence[str]:
        keys = [one["key"] for one in (await self._platform.taken())[self._before :]]
        if self._driver == "official":  # it gets the delivery, which it must not send twice, without the attempt: 1
            return [f"{key}-1" for key in keys]
        return keys

    async def unacknowledged(self) -> int:
        found: int = (await self._platform.ask("look"))["unacknowledged"]
        return found

    async def say(self, address: str, text: str) -> str:
        said: str = await self._platform.ask("say", number=address, text=text)
        return said

    async def hang_up(self) -> None:
        await self._platform.ask("hang up")

    async def call_back(self, address: str) -> None:
        await self._platform.ask("call back", address=address)
