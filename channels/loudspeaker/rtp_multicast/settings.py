"""The options of a gateway for RTP multicast."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from broadcaster.phrase import phrase
from broadcaster.ports import GatewaySettings
from channels.options import read_options
from channels.speech.track import Line

Seconds = Annotated[float, Meta(ge=0, le=3600)]


class RtpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`codec` pcma (A-law) or pcmu (µ-law); `ttl` routers that packets may pass; `dscp` their class of service (46:
    expedited forwarding); `interface` our address on the network that they leave by, "" as the system routes;
    `window` groups that may sound at a time; `finish_within` seconds that sounds get when we are stopped."""

    codec: Literal["pcma", "pcmu"] = "pcma"
    ttl: Annotated[int, Meta(ge=1, le=255)] = 16
    dscp: Annotated[int, Meta(ge=0, le=63)] = 46
    interface: str = ""
    window: Annotated[int, Meta(ge=1, le=500)] = 64
    finish_within: Seconds = 60.0

    def __post_init__(self) -> None:
        if self.interface:
            try:
                IPv4Address(self.interface)
            except AddressValueError:
                wanted = "interface 现为 “%(given)s”，应为本机的 IPv4 地址"
                raise ValueError(phrase(wanted, given=self.interface[:60])) from None

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed."""
        return read_options(gateway, cls, "")

    @property
    def line(self) -> Line:
        """How the sound is encoded."""
        return Line.A_LAW if self.codec == "pcma" else Line.MU_LAW


def group(address: str) -> tuple[str, int]:
    """Where `239.255.0.1:5004` leads; ValueError for anything else. A single machine will do as well."""
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError
    return str(IPv4Address(host)), int(port)
