"""How a gateway's own options are read: strictly, and with an error that names the key."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings

Options = TypeVar("Options", bound=msgspec.Struct)


def read_options(gateway: GatewaySettings, shape: type[Options], needed: str) -> Options:
    """The checked options of `gateway`; `SettingsError` names the key, what is allowed and what is `needed`, never a
    secret."""
    try:
        return msgspec.convert(dict(gateway.options), shape, strict=False)
    except msgspec.ValidationError as problem:
        allowed = "、".join(shape.__struct_fields__)
        raise SettingsError(
            f"{named(gateway)}：{problem}。", remedy=f"可用的键：{allowed}；{needed} 必填。"
        ) from problem


def named(gateway: GatewaySettings) -> str:
    """The gateway as errors about its settings name it."""
    return f"网关 {gateway.name!r}（{gateway.channel}.{gateway.driver}）"
