"""The loudspeaker terminals in the script."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from broadcaster.rehearsal.script.ebd import EBD_CLIENT_KEY, EBD_CLIENT_SERIAL, EBD_PUBLIC, EBD_SERIAL
from broadcaster.rehearsal.script.front import FrontScript
from broadcaster.rehearsal.script.measures import Share
from channels.line.settings import Address

SIGNED: dict[str, object] = {
    "signature": "required",
    "key": EBD_CLIENT_KEY,
    "cert_sn": EBD_CLIENT_SERIAL,
    "terminal_keys": {EBD_SERIAL: EBD_PUBLIC},
}
"""Options of a gateway whose terminals sign."""


class TerminalsFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Loudspeaker terminals with these `codes` (23 digits) dial in to `dial`, where the platform with the code
    `platform` listens; `sign_flag` as in its dialect. `heartbeat`: seconds; `redial`: seconds, about, until one that
    was cut off dials again. Shares of terminals: `offline` never dial; `silent` dial, sign in and say nothing more;
    `daily` play a daily programme of their own. `signed`: they sign, and obey nobody but who signs with the rehearsal's
    EBD_CLIENT_KEY; `forged` is the share whose signature is not one of theirs."""

    drivers: ClassVar[tuple[str, ...]] = ("terminal_tcp",)

    dial: Annotated[str, Meta(pattern=r"^tcp:.+:\d{1,5}$")]
    codes: tuple[Annotated[str, Meta(pattern=r"^\d{23}$")], ...]
    platform: Annotated[str, Meta(pattern=r"^\d{23}$")] = "43415230000000103010101"
    sign_flag: bool = False
    heartbeat: Annotated[float, Meta(gt=0, le=3600)] = 20.0
    redial: Annotated[float, Meta(gt=0, le=3600)] = 0.5
    offline: Share = 0.0
    silent: Share = 0.0
    daily: Share = 0.0
    signed: bool = False
    forged: Share = 0.0

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (it dials)
        """Where terminals fetch the sound is the gateway's own affair: give audio_listen and audio_url."""
        listen = str(Address.parse(self.dial)).removeprefix("tcp:")
        given = {"listen": listen, "platform": self.platform, "heartbeat": self.heartbeat}
        return {**given, **SIGNED} if self.signed else given
