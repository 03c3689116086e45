"""A CMPP gateway as a peer of the contract kit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.testing import Mood
from tests.harness.cmpp_gateway import SECRET, SERVICE_NUMBER, USER, Gateway
from tests.harness.ports import free_port

_numbers = count(1)


def settings(port: int, **options: object) -> GatewaySettings:
    """A gateway's settings with short waits."""
    given = {
        "host": "127.0.0.1",
        "port": port,
        "user": USER,
        "password": SECRET,
        "source": SERVICE_NUMBER,
        "connect_timeout": 2.0,
        "answer_timeout": 1.0,
        "heartbeat": 0.5,
        **options,
    }
    return GatewaySettings(f"carrier-{next(_numbers)}", Medium.SMS, "cmpp", rate=1000, options=given)


class CmppPeer:
    """One gateway that listens."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        version = "3.0" if gateway.third else "2.0"
        self.gateway = settings(gateway.port, version=version)
        self.nowhere = settings(free_port(), version=version)
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message("【演练】台风红色预警，请立即转移。")
        self.bad_address = gateway.bad_address

    def addresses(self, count: int) -> Sequence[str]:
        return [f"138{number:08d}" for number in range(1, count + 1)]

    async def play(self, mood: Mood) -> None:
        gateway = self._gateway
        gateway.result = 8 if mood is Mood.THROTTLING else 0
        gateway.answer_after = 0.2 if mood is Mood.SLOW else 0.0
        gateway.cut_after = len(gateway.taken) + 3 if mood is Mood.CUTTING else None
        gateway.silent = mood is Mood.SILENT
        gateway.babble = mood is Mood.BABBLING

    async def taken(self) -> Sequence[str]:
        return ["" for _ in self._gateway.taken]

    async def unacknowledged(self) -> int:
        return len(self._gateway.unacknowledged)

    async def say(self, address: str, text: str) -> str:
        return self._gateway.say(address, text.encode("utf-16-be"))

    async def hang_up(self) -> None:
        for session in self._gateway.sessions:
            session.writer.transport.abort()
