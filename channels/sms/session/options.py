"""What all carriers' gateways have among their options, and how options are read."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from broadcaster.ports import GatewaySettings
from channels.options import read_options
from channels.sms.session.door import Threshold
from channels.sms.session.driver import Line
from channels.sms.session.events import Dialect
from channels.sms.session.link import Patience

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]

Word = Annotated[str, Meta(pattern=r"^[\x21-\x7e]*\Z", description="不含空格的英文字符")]
"""Visible ASCII."""

Code = Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]

UNANSWERED = 3
"""Signs of life that a gateway may leave unanswered."""


class CarrierOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Times in seconds. `window` messages that may be unanswered on a connection; `heartbeat` of silence until a sign
    of life is asked for; `busy` the carrier's own result codes for flow control. A protocol's own options add to these
    and give the dialect."""

    needed: ClassVar[str] = "host"

    host: Annotated[str, Meta(min_length=1)]
    port: Port
    window: Annotated[int, Meta(ge=1, le=1024)] = 16
    connect_timeout: Seconds = 10.0
    answer_timeout: Seconds = 60.0
    heartbeat: Seconds = 60.0
    busy: tuple[Code, ...] = ()

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        return read_options(gateway, cls, cls.needed)

    @property
    def line(self) -> Line:
        """Where it is, and how it is treated."""
        patience = Patience(self.answer_timeout, self.heartbeat, UNANSWERED)
        return Line(self.host, self.port, self.window, self.connect_timeout, patience)

    @property
    def threshold(self) -> Threshold | None:
        """Where the gateway opens connections to us, if the protocol has it so."""
        return None

    def dialect(self) -> Dialect:
        """The protocol, for the account that the options name."""
        raise NotImplementedError


class SpOptions(CarrierOptions, frozen=True, kw_only=True):
    """Of the carriers' own protocols, CMPP, SGIP and SMGP: `source` 接入号, the number that people see, and `service`
    业务代码."""

    needed: ClassVar[str] = "host、user、password、source"

    password: str
    source: Annotated[str, Meta(pattern=r"^[0-9]{1,21}\Z", description="1 到 21 位数字")]
    service: Annotated[Word, Meta(max_length=10)] = ""
