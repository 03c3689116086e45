"""A short message centre that speaks SMPP as a peer of the contract kit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.testing import Mood
from tests.harness.ports import free_port
from tests.harness.smsc import Smsc

BAD = "10000000000"
MOODS: dict[Mood, dict[str, object]] = {
    Mood.WILLING: {},
    Mood.SLOW: {"after": 200},
    Mood.THROTTLING: {"status": 0x58},
    Mood.SILENT: {"silent": True},
    Mood.BABBLING: {"babble": True},
}
_numbers = count(1)


def settings(port: int, **options: object) -> GatewaySettings:
    """A gateway's settings with short waits."""
    given = {
        "host": "127.0.0.1",
        "port": port,
        "user": "county",
        "password": "s3cret",
        "source": "10690001",
        "connect_timeout": 2.0,
        "answer_timeout": 1.0,
        "heartbeat": 0.5,
        **options,
    }
    return GatewaySettings(f"smsc-{next(_numbers)}", Medium.SMS, "smpp", rate=1000, options=given)


class SmppPeer:
    """One centre that listens."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self.gateway = settings(smsc.port)
        self.nowhere = settings(free_port())
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message("【演练】台风红色预警，请立即转移。")
        self.bad_address = BAD

    def addresses(self, count: int) -> Sequence[str]:
        return [f"138{number:08d}" for number in range(1, count + 1)]

    async def play(self, mood: Mood) -> None:
        calm = {"status": 0, "after": 0, "silent": False, "cutAfter": None, "babble": False}
        if mood is Mood.CUTTING:
            taken = (await self._smsc.ask("figures"))["taken"]
            await self._smsc.ask("play", {**calm, "cutAfter": taken + 3})
        else:
            await self._smsc.ask("play", {**calm, **MOODS[mood]})

    async def taken(self) -> Sequence[str]:
        return [""] * (await self._smsc.ask("figures"))["taken"]

    async def unacknowledged(self) -> int:
        found: int = (await self._smsc.ask("figures"))["unacknowledged"]
        return found

    async def say(self, address: str, text: str) -> str:
        await self._smsc.ask("say", {"from": address, "hex": text.encode("utf-16-be").hex(), "coding": 8})
        return ""

    async def hang_up(self) -> None:
        await self._smsc.ask("hangUp")
