"""The lower emergency broadcast platform in the script."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.rehearsal.script.front import FrontScript, Listen, endpoint
from broadcaster.rehearsal.script.measures import Share
from channels.line.settings import Address

EBD_PLATFORM, EBD_CLIENT = "43302120000000103010201", "43302120000000103010101"
EBD_PLATFORM_2018, EBD_CLIENT_2018 = "010333021200000002", "010333021200000001"
EBD_KEY = "6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b"
EBD_PUBLIC = (
    "045109f0a2835b602e1d67261203b6e2bb1e816925b68ae5a8d91247add0f6744386a3d12a99d44d8ac868d380fce1a3fac8f74d8621a8c6120"
    "63b487c6feff048"
)
EBD_CLIENT_KEY = "2d9e5f8a6b7c4d3e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e"
EBD_CLIENT_PUBLIC = (
    "048b8425fc1903a1ed76c726c6982aa3ac040b645445a908c508b2dff2667475c4e2130934833908593c58f8c245a7ee3347b9762abe8529dee"
    "a2589b1044cdc48"
)
EBD_SERIAL, EBD_CLIENT_SERIAL = "000000000202", "000000000101"
"""The two platforms of a rehearsal: EBRIDs, SM2 keys that protect nothing, serial numbers of their certificates."""


class EbdFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lower platform of the emergency broadcast system listens at `listen`. `code`, `key` (hex) and `serial` are its
    EBRID, SM2 key and certificate; `clients` the public keys (hex) of the platforms above, by serial number; `profile`
    and `utc_signed` the dialect. `reports`: where it posts what was played (`/callbacks/<gateway>`), "" = nowhere until
    it is told; `heartbeat`: seconds between its own signs of life there, 0 = none.

    `forged`: share of answers with a signature that is not its own; `halved`: share of which half a package comes.
    """

    listen: Listen = "tcp:127.0.0.1:0"
    reports: str = ""
    code: Annotated[str, Meta(pattern=r"^[0-9]{18}([0-9]{5})?$")] = EBD_PLATFORM
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] = EBD_KEY
    serial: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}$")] = EBD_SERIAL
    clients: dict[str, str] = msgspec.field(default_factory=lambda: {EBD_CLIENT_SERIAL: EBD_CLIENT_PUBLIC})
    profile: Literal["2018", "2023"] = "2023"
    utc_signed: bool = False
    heartbeat: Annotated[float, Meta(ge=0, le=3600)] = 60.0
    forged: Share = 0.0
    halved: Share = 0.0

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (there is one)
        return {
            "endpoint": f"{endpoint(at)}/",
            "source": EBD_CLIENT if self.profile == "2023" else EBD_CLIENT_2018,
            "peer": self.code,
            "profile": self.profile,
            "utc_signed": self.utc_signed,
            "key": EBD_CLIENT_KEY,
            "cert_sn": EBD_CLIENT_SERIAL,
            "peer_keys": {self.serial: EBD_PUBLIC},
        }
