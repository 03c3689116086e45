"""What every kind with a port has among its options, and how a kind's options are read."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.door.door import Threshold
from broadcaster.errors import SettingsError
from broadcaster.options import Options, read
from broadcaster.phrase import ours, phrase
from broadcaster.sensing import SensorSettings


class DoorOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`port` to listen on, at `host`; `allowed` networks that may come (none: all); most `connections` at a time;
    `idle` seconds after which a silent connection is closed."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    host: str = "0.0.0.0"  # noqa: S104 - instruments come from outside
    allowed: tuple[str, ...] = ()
    connections: Annotated[int, Meta(ge=1, le=20_000)] = 2000
    idle: Annotated[float, Meta(ge=10, le=86_400)] = 1800.0

    def threshold(self, settings: SensorSettings, transports: tuple[str, ...] = ("tcp",)) -> Threshold:
        """Where to listen; `SettingsError` for what is no network."""
        allowed = tuple(self._network(settings, one) for one in self.allowed)
        return Threshold(self.host, self.port, transports, allowed, self.connections, self.idle)

    @staticmethod
    def _network(settings: SensorSettings, text: str) -> IPv4Network | IPv6Network:
        try:
            return ip_network(text, strict=False)
        except ValueError as error:
            raise SettingsError(
                "%(whose)s：allowed 中的 %(given)s 不是网段。",
                remedy='应为网段的列表，如 ["10.8.0.0/16"]。',
                whose=ours(named(settings)),
                given=f"“{text[:60]}”",
            ) from error


def read_options(settings: SensorSettings, shape: type[Options], needed: str) -> Options:
    """The checked options of an entry; `SettingsError` names what is wrong, what is allowed and what is `needed`, never
    a secret."""
    return read(settings.options, shape, named(settings), needed)


def named(settings: SensorSettings) -> str:
    """The entry as errors about its settings name it."""
    return phrase("传感器 sensors[%(name)s]（%(kind)s）", name=settings.name, kind=settings.kind)
