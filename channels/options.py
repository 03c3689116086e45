"""How a gateway's own options are read: strictly, and with an error that names the gateway and the option."""

from __future__ import annotations

from broadcaster.options import Options, read
from broadcaster.phrase import phrase
from broadcaster.ports import GatewaySettings


def read_options(gateway: GatewaySettings, shape: type[Options], needed: str) -> Options:
    """The checked options of `gateway`; `SettingsError` names what is wrong, what is allowed and what is `needed`,
    never a secret."""
    return read(gateway.options, shape, named(gateway), needed)


def named(gateway: GatewaySettings) -> str:
    """The gateway as errors about its settings name it."""
    driver = f"{gateway.channel}.{gateway.driver}"
    return phrase("网关 %(name)s（%(driver)s）", name=repr(gateway.name), driver=driver)
