"""A carrier's gateway, of whichever protocol, as a peer of the contract kit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from broadcaster.ports import GatewaySettings, Medium, Message
from broadcaster.testing import Mood
from channels.sms import cmpp, sgip, smgp
from channels.sms.session.plugin import CarrierPlugin
from tests.harness.carrier_gateway import SECRET, SERVICE_NUMBER, USER, CarrierGateway
from tests.harness.cmpp_gateway import CmppGateway
from tests.harness.ports import free_port
from tests.harness.sgip_gateway import SgipGateway
from tests.harness.smgp_gateway import SmgpGateway

NODE = 3_010_001_234
_numbers = count(1)


@dataclass(frozen=True, eq=False)
class Protocol:
    """One that a carrier speaks: our driver, what plays the carrier, and the options that lead to it."""

    name: str
    plugin: CarrierPlugin
    gateway: Callable[..., CarrierGateway]
    options: Callable[[CarrierGateway], dict[str, object]]

    def __str__(self) -> str:
        return self.name


def _sgip_options(gateway: CarrierGateway) -> dict[str, object]:
    assert isinstance(gateway, SgipGateway)
    return {"node": NODE, "listen": f"127.0.0.1:{gateway.theirs}", "linger": 0}


def _cmpp_3(**behaviour: object) -> CmppGateway:
    return CmppGateway(third=True, **behaviour)  # type: ignore[arg-type]


CMPP = Protocol("cmpp 2.0", cmpp.plugin, CmppGateway, lambda _: {"version": "2.0"})
CMPP_3 = Protocol("cmpp 3.0", cmpp.plugin, _cmpp_3, lambda _: {"version": "3.0"})
SMGP = Protocol("smgp", smgp.plugin, SmgpGateway, lambda _: {})
SGIP = Protocol("sgip", sgip.plugin, SgipGateway, _sgip_options)
PROTOCOLS = (CMPP, CMPP_3, SMGP, SGIP)


def settings(protocol: Protocol, gateway: CarrierGateway, **options: object) -> GatewaySettings:
    """A gateway's settings with short waits."""
    given = {
        "host": "127.0.0.1",
        "port": gateway.port,
        "user": USER,
        "password": SECRET,
        "source": SERVICE_NUMBER,
        "connect_timeout": 5.0,
        "answer_timeout": 2.0,
        "heartbeat": 0.5,
        **protocol.options(gateway),
        **options,
    }
    return GatewaySettings(f"carrier-{next(_numbers)}", Medium.SMS, protocol.plugin.name, rate=1000, options=given)


class CarrierPeer:
    """One gateway that listens."""

    def __init__(self, protocol: Protocol, gateway: CarrierGateway) -> None:
        self._gateway = gateway
        self.gateway = settings(protocol, gateway)
        elsewhere: dict[str, object] = {"port": free_port()}
        if protocol is SGIP:
            elsewhere["listen"] = f"127.0.0.1:{free_port()}"
        self.nowhere = settings(protocol, gateway, **elsewhere)
        self.moods = frozenset(Mood)
        self.patience = 10.0
        self.message = Message("【演练】台风红色预警，请立即转移。")
        self.bad_address = gateway.bad_address

    def addresses(self, count: int) -> Sequence[str]:
        return [f"138{number:08d}" for number in range(1, count + 1)]

    async def play(self, mood: Mood) -> None:
        gateway = self._gateway
        gateway.result = gateway.FLOW_CONTROL if mood is Mood.THROTTLING else 0
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
