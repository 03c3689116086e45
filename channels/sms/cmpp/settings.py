"""The options of a gateway that speaks CMPP."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.sms.cmpp.wire import VERSION_2, VERSION_3, Account
from channels.sms.session.driver import Line
from channels.sms.session.link import Patience

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Word = Annotated[str, Meta(pattern=r"^[\x21-\x7e]*$")]
VERSIONS = {"2.0": VERSION_2, "3.0": VERSION_3}


class CmppOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `user` 企业代码, `source` 接入号, `service` 业务代码; `window` messages that may be unanswered on a connection;
    `heartbeat` of silence until a sign of life is asked for, three of which may stay unanswered.
    """

    host: Annotated[str, Meta(min_length=1)]
    user: Annotated[Word, Meta(min_length=1, max_length=6)]
    password: str
    source: Annotated[str, Meta(pattern=r"^[0-9]{1,21}$")]
    version: Literal["2.0", "3.0"] = "2.0"
    port: Port = 7890
    service: Annotated[Word, Meta(max_length=10)] = ""
    fee_user: Annotated[int, Meta(ge=0, le=3)] = 2
    fee_type: Annotated[Word, Meta(max_length=2)] = "01"
    fee_code: Annotated[Word, Meta(max_length=6)] = "0"
    window: Annotated[int, Meta(ge=1, le=1024)] = 16
    connect_timeout: Seconds = 10.0
    answer_timeout: Seconds = 60.0
    heartbeat: Seconds = 60.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> CmppOptions:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        try:
            return msgspec.convert(dict(gateway.options), cls, strict=False)
        except msgspec.ValidationError as problem:
            allowed = "、".join(cls.__struct_fields__)
            raise SettingsError(
                f"网关 {gateway.name!r}（sms.cmpp）：{problem}。",
                remedy=f"可用的键：{allowed}；host、user、password、source 必填。",
            ) from problem

    @property
    def account(self) -> Account:
        """Who we are to the carrier."""
        return Account(
            self.user,
            self.password,
            VERSIONS[self.version],
            self.source,
            self.service,
            self.fee_user,
            self.fee_type,
            self.fee_code,
        )

    @property
    def line(self) -> Line:
        """Where it is, and how it is treated."""
        patience = Patience(self.answer_timeout, self.heartbeat, 3)
        return Line(self.host, self.port, self.window, self.connect_timeout, patience)
