"""The options of a gateway that speaks the rehearsal line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from broadcaster.phrase import phrase
from broadcaster.ports import GatewaySettings
from channels.options import read_options

Count = Annotated[int, Meta(ge=1, le=100_000)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a rehearsal listens: a unix socket's path, or host and port."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"tcp:{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """`unix:/path` or `tcp:host:port`; ValueError for anything else."""
        kind, _, rest = text.partition(":")
        if kind == "unix" and rest:
            return cls(path=rest)
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isdecimal() and int(port) < 65536:
            return cls(host=host, port=int(port))
        raise ValueError(phrase("“%(given)s”不是地址，应为 unix:/路径 或 tcp:主机:端口", given=text[:60]))


class LineOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds."""

    address: str
    account: str = ""
    password: str = ""
    window: Count = 1000
    batch_max: Count = 5000
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = 30.0
    heartbeat: Seconds = 10.0

    def __post_init__(self) -> None:
        try:
            Address.parse(self.address)
        except ValueError as problem:
            raise ValueError(phrase("%(path)s：%(fault)s", path="address", fault=problem.args[0])) from None


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A gateway's options, checked."""

    address: Address
    account: str
    options: LineOptions

    @classmethod
    def read(cls, gateway: GatewaySettings) -> LineSettings:
        """The checked options of `gateway`; SettingsError names the key and what is allowed."""
        options = read_options(gateway, LineOptions, "address")
        return cls(Address.parse(options.address), options.account or gateway.name, options)
