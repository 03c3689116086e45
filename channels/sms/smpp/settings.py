"""The options of a gateway that speaks SMPP."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.sms.session.driver import Line
from channels.sms.session.link import Patience
from channels.sms.smpp.wire import Account

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Number = Annotated[int, Meta(ge=0, le=255)]


def _word(least: int, most: int) -> Meta:
    """Visible ASCII; `most` is one less than the protocol's field, which ends with a zero."""
    return Meta(pattern=r"^[\x20-\x7e]*$", min_length=least, max_length=most)


class SmppOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `user` is the system_id, `source` the number that people see; `country` goes before the 11 digits of a number;
    `alphabet` is the gateway's default for texts in plain letters; `receipt_ids` how receipts write the id that the
    answer to the submit gave: the "same", the hex one in "decimal", the decimal one in "hex".
    """

    host: Annotated[str, Meta(min_length=1)]
    user: Annotated[str, _word(1, 15)]
    password: Annotated[str, _word(0, 8)]
    source: Annotated[str, _word(1, 20)]
    port: Port = 2775
    system_type: Annotated[str, _word(0, 12)] = ""
    service: Annotated[str, _word(0, 5)] = ""
    source_ton: Number = 0
    source_npi: Number = 1
    country: Literal["86", ""] = ""
    alphabet: Literal["gsm", "ascii"] = "gsm"
    receipt_ids: Literal["same", "decimal", "hex"] = "same"
    window: Annotated[int, Meta(ge=1, le=1024)] = 16
    connect_timeout: Seconds = 10.0
    answer_timeout: Seconds = 30.0
    heartbeat: Seconds = 30.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> SmppOptions:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        try:
            return msgspec.convert(dict(gateway.options), cls, strict=False)
        except msgspec.ValidationError as problem:
            allowed = "、".join(cls.__struct_fields__)
            raise SettingsError(
                f"网关 {gateway.name!r}（sms.smpp）：{problem}。",
                remedy=f"可用的键：{allowed}；host、user、password、source 必填。",
            ) from problem

    @property
    def account(self) -> Account:
        """Who we are to the gateway."""
        return Account(
            user=self.user,
            password=self.password,
            system_type=self.system_type,
            source=self.source,
            source_ton=self.source_ton,
            source_npi=self.source_npi,
            country=self.country,
            service=self.service,
            gsm=self.alphabet == "gsm",
            receipt_ids=self.receipt_ids,
        )

    @property
    def line(self) -> Line:
        """Where it is, and how it is treated."""
        patience = Patience(self.answer_timeout, self.heartbeat, 3)
        return Line(self.host, self.port, self.window, self.connect_timeout, patience)
