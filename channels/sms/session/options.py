"""What all carriers' gateways have among their options, and how options are read."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.sms.session.driver import Line
from channels.sms.session.events import Dialect
from channels.sms.session.link import Patience

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]

UNANSWERED = 3
"""Signs of life that a gateway may leave unanswered."""


class CarrierOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Times in seconds. `window` messages that may be unanswered on a connection; `heartbeat` of silence until a sign
    of life is asked for. A protocol's own options add to these and give the dialect."""

    needed: ClassVar[str] = "host"

    host: Annotated[str, Meta(min_length=1)]
    port: Port
    window: Annotated[int, Meta(ge=1, le=1024)] = 16
    connect_timeout: Seconds = 10.0
    answer_timeout: Seconds = 60.0
    heartbeat: Seconds = 60.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        try:
            return msgspec.convert(dict(gateway.options), cls, strict=False)
        except msgspec.ValidationError as problem:
            allowed = "、".join(cls.__struct_fields__)
            raise SettingsError(
                f"网关 {gateway.name!r}（{gateway.channel}.{gateway.driver}）：{problem}。",
                remedy=f"可用的键：{allowed}；{cls.needed} 必填。",
            ) from problem

    @property
    def line(self) -> Line:
        """Where it is, and how it is treated."""
        patience = Patience(self.answer_timeout, self.heartbeat, UNANSWERED)
        return Line(self.host, self.port, self.window, self.connect_timeout, patience)

    def dialect(self) -> Dialect:
        """The protocol, for the account that the options name."""
        raise NotImplementedError
