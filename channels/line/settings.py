"""The options of a gateway that speaks the rehearsal line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings

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
        raise ValueError(f"{text!r} is not an address; write unix:/path/to/socket or tcp:host:port.")


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


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A gateway's options, checked."""

    address: Address
    account: str
    options: LineOptions

    @classmethod
    def read(cls, gateway: GatewaySettings) -> LineSettings:
        """The checked options of `gateway`; SettingsError names the key and what is allowed."""
        try:
            options = convert(gateway.options)
            address = Address.parse(options.address)
        except (msgspec.ValidationError, ValueError) as problem:
            allowed = ", ".join(LineOptions.__struct_fields__)
            raise SettingsError(
                f"Gateway {gateway.name!r} ({gateway.channel} by {gateway.driver}): {problem}",
                remedy=f"Its options are {allowed}; only address is required.",
            ) from problem
        return cls(address, options.account or gateway.name, options)


def convert(options: Mapping[str, object]) -> LineOptions:
    """The options as typed values; msgspec.ValidationError names what is wrong."""
    return msgspec.convert(dict(options), LineOptions, strict=False)
