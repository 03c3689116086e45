"""The options of a gateway that is an Icecast server."""

from __future__ import annotations

from typing import Annotated, Self

import msgspec
from msgspec import Meta

from broadcaster.ports import GatewaySettings
from channels.options import read_options

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Word = Annotated[
    str, Meta(pattern=r"^[\x21-\x39\x3b-\x7e]{1,64}\Z", description="不含空格和冒号的英文字符，1 到 64 个")
]
"""Visible ASCII without a colon, at which Basic authentication ends the name."""

Secret = Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}\Z", description="不含空格的英文字符，1 到 128 个")]


class IcecastOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`user` and `password` of sources; `admin_user` and `admin_password`, where they are given, end another source's
    stream on a mount that an alert needs. `name` (ASCII: so are headers) is what the stream is called; `ahead` seconds
    that the server gets before their time; `finish_within` seconds that sounds get when we are stopped."""

    host: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z", description="主机名或 IP 地址")]
    password: Secret
    port: Annotated[int, Meta(ge=1, le=65535)] = 8000
    user: Word = "source"
    admin_user: Word = "admin"
    admin_password: Annotated[
        str, Meta(pattern=r"^[\x21-\x7e]{0,128}\Z", description="不含空格的英文字符，至多 128 个")
    ] = ""
    name: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{1,60}\Z", description="英文字符，1 到 60 个")] = (
        "Emergency broadcast"
    )
    ahead: Annotated[float, Meta(ge=0, le=10)] = 2.0
    window: Annotated[int, Meta(ge=1, le=500)] = 32
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = 10.0
    finish_within: Annotated[float, Meta(ge=0, le=3600)] = 60.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        return read_options(gateway, cls, "host、password")
