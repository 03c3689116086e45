"""What every kind with a port has among its options, and how a kind's options are read."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from adapters.door.door import Threshold
from broadcaster.errors import SettingsError
from broadcaster.sensing import SensorSettings

Options = TypeVar("Options", bound=msgspec.Struct)


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
        try:
            allowed = tuple(ip_network(one, strict=False) for one in self.allowed)
        except ValueError as error:
            raise SettingsError(
                f"sensors[{settings.name}].allowed：{error}。", remedy='应为网段的列表，如 ["10.8.0.0/16"]。'
            ) from error
        return Threshold(self.host, self.port, transports, allowed, self.connections, self.idle)


def read_options(settings: SensorSettings, shape: type[Options], needed: str) -> Options:
    """The checked options of an entry; `SettingsError` names the key, what is allowed and what is `needed`, never a
    secret."""
    try:
        return msgspec.convert(dict(settings.options), shape, strict=False)
    except msgspec.ValidationError as problem:
        allowed = "、".join(shape.__struct_fields__)
        raise SettingsError(
            f"sensors[{settings.name}]（{settings.kind}）：{problem}。", remedy=f"可用的键：{allowed}；{needed} 必填。"
        ) from problem
