"""What all gateways that are called over HTTP have among their options."""

from __future__ import annotations

import ssl
from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta
from yarl import URL

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from broadcaster.trust import is_loopback, tls_context
from channels.options import named, read_options

Seconds = Annotated[float, Meta(gt=0, le=600)]
Secret = Annotated[str, Meta(min_length=16)]


class HttpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Times in seconds. `endpoint` is where the provider is called, "" for the provider's own (`home`); `ca_file` a PEM
    file of authorities to trust besides the system's; `window` requests under way on one slot. A provider's own options
    add to these."""

    needed: ClassVar[str] = "endpoint"
    home: ClassVar[str] = ""
    plain: ClassVar[bool] = False
    """Whether the protocol is at home on http:// in networks of its own, signed and without personal data."""

    endpoint: str = ""
    ca_file: str = ""
    window: Annotated[int, Meta(ge=1, le=1024)] = 32
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = 20.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        options = read_options(gateway, cls, cls.needed)
        _check(gateway, options.endpoint or cls.home, plain=cls.plain)
        return options

    @property
    def url(self) -> URL:
        """Where the provider is called."""
        return URL(self.endpoint or self.home)

    def trust(self, gateway: GatewaySettings) -> ssl.SSLContext:
        """Whom its connections trust; `SettingsError` when `ca_file` cannot be read."""
        return tls_context(named(gateway), "ca_file", self.ca_file)


def _check(gateway: GatewaySettings, endpoint: str, *, plain: bool) -> None:
    try:
        url = URL(endpoint)
        good = url.scheme in ("http", "https") and bool(url.host) and not (url.query_string or url.fragment or url.user)
    except ValueError:
        good = False
    if not good:
        raise SettingsError(
            f"{named(gateway)}：endpoint 不是服务地址。",
            remedy="应为 https://主机[:端口][/路径]，不带账号、参数和 #。",
        )
    if url.scheme == "http" and not plain and not is_loopback(url.host or ""):
        raise SettingsError(
            f"{named(gateway)}：endpoint {endpoint} 会把号码和内容明文传出本机。",
            remedy="请用 https://；只有本机上的代理可以用 http://。",
        )
