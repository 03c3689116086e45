"""The options of a gateway for cameras with a loudspeaker."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple, Self

import msgspec
from msgspec import Meta

from broadcaster.ports import GatewaySettings
from channels.options import read_options

Seconds = Annotated[float, Meta(gt=0, le=3600)]
DEFAULT_PORT = 554
_URL = re.compile(
    r"rtsp://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>[0-9]{1,5}))?(?P<path>/[!-?A-Z\[\]_a-z~^`{|}]*)?"
)


class OnvifOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`user` and `password` of all cameras of the gateway; times in seconds. `window` cameras that may sound at a time;
    `finish_within` what sounds get when we are stopped."""

    user: Annotated[
        str,
        Meta(
            pattern=r"^[\x20-\x21\x23-\x39\x3b-\x5b\x5d-\x7e]{0,64}\Z",
            description="英文字符，至多 64 个，不含引号、冒号和反斜杠",
        ),
    ] = ""
    password: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,128}\Z", description="英文字符，至多 128 个")] = ""
    window: Annotated[int, Meta(ge=1, le=500)] = 64
    connect_timeout: Seconds = 5.0
    answer_timeout: Seconds = 10.0
    finish_within: Annotated[float, Meta(ge=0, le=3600)] = 60.0

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed, never a secret."""
        return read_options(gateway, cls, "")


class Camera(NamedTuple):
    """Where a camera is, and the URL to ask it for."""

    host: str
    port: int
    url: str


def camera(address: str) -> Camera:
    """The camera at `rtsp://10.1.2.3:554/path`; ValueError for anything else, also for one with a name and password."""
    found = _URL.fullmatch(address)
    if found is None or not 0 < int(found["port"] or DEFAULT_PORT) < 65536:
        raise ValueError
    return Camera(found["host"].strip("[]"), int(found["port"] or DEFAULT_PORT), address)
