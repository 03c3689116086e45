"""The options of a gateway for terminals that dial in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.phrase import phrase
from broadcaster.ports import GatewaySettings
from channels.listening.visitors import Network, listens, network
from channels.loudspeaker.signing.options import known_keys, our_signer
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.terminal_tcp.dialect import Dialect
from channels.loudspeaker.terminal_tcp.sealing import Sealing
from channels.options import named, read_options

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Percent = Annotated[int, Meta(ge=1, le=100)]
Code = Annotated[int, Meta(ge=1, le=255)]
Prefix = Annotated[str, Meta(pattern=r"^[0-9]{1,23}\Z", description="1 到 23 位数字")]
Colour = Literal["red", "orange", "yellow", "blue", "drill"]


class TerminalOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Times in seconds.

    `platform` our own resource code; `listen` where terminals dial in, `audio_listen` where they fetch the sound, and
    `audio_url` how that is reached from where they are. `allow` the networks that terminals come from, `admit` what
    their codes begin with (both empty: all). `edition`, `sign_flag`, `digits`, `clock` are the dialect.

    `signature` "required": what goes out is signed, by `key` (PEM or hex) or `device` (address of a cipher device, see
    `signer.py`) with the certificate `cert_sn`, and what comes is verified, as `verify` says, by `terminal_keys` (their
    certificates or public keys by serial number). `utc_signed`: the time is signed too; `signed`: acknowledgements as
    well, or orders only.

    `heartbeat` is what terminals were set to: after three of them without a frame one is off line. `reconnect` is what
    a terminal gets to come back before its messages fail, `report_within` what it gets to report after the end.
    `preemption`: who stops what plays of lower rank; `busy` results that mean "not now"; `volumes` in percent by
    colour; `text` sends the words along. `margin` is added to a broadcast's length, for fetching it.
    """

    platform: Annotated[str, Meta(pattern=r"^([0-9]{23}|[0-9]{18})\Z", description="23 位或 18 位资源编码")]
    listen: str
    audio_listen: str
    audio_url: str
    edition: Literal["2018", "2019"] = "2018"
    sign_flag: bool | None = None
    clock: Literal["utc", "local"] = "utc"
    signature: Literal["none", "required"] = "none"
    key: Annotated[str, Meta(min_length=64, max_length=8192)] | None = None
    device: str = ""
    cert_sn: str = ""
    terminal_keys: Mapping[str, str] = {}
    verify: Policy = Policy.REQUIRE
    utc_signed: bool = True
    signed: Literal["all", "orders"] = "all"
    allow: tuple[str, ...] = ()
    admit: tuple[Prefix, ...] = ()
    most: Annotated[int, Meta(ge=1, le=100_000)] = 20_000
    window: Annotated[int, Meta(ge=1, le=10_000)] = 2000
    heartbeat: Seconds = 20.0
    answer_timeout: Seconds = 10.0
    reconnect: Annotated[float, Meta(ge=0, le=60)] = 4.0
    report_within: Seconds = 60.0
    margin: Annotated[float, Meta(ge=0, le=600)] = 10.0
    preemption: Literal["platform", "terminal"] = "platform"
    busy: tuple[Code, ...] = (3,)
    volumes: dict[Colour, Percent] = {}
    text: bool = False

    def __post_init__(self) -> None:
        listens("listen", self.listen)
        listens("audio_listen", self.audio_listen)
        for each in self.allow:
            network(each)
        parts = urlsplit(self.audio_url)
        if parts.scheme != "http" or not parts.hostname or parts.query or not self.audio_url.isascii():
            wanted = "audio_url 现为 “%(given)s”，终端只用 http:// 取音频，应如 http://10.1.2.3:7090"
            raise ValueError(phrase(wanted, given=self.audio_url[:60]))

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """The checked options of `gateway`; `SettingsError` names the key and what is allowed."""
        options = read_options(gateway, cls, "platform、listen、audio_listen、audio_url")
        if gateway.slots != 1:
            raise SettingsError(
                f"{named(gateway)}：slots = {gateway.slots}。终端都接到同一个监听端口，只能由一个连接持有。",
                remedy="请删去 slots，或写 slots = 1；持有端口的进程退出后，另一个进程会接管。",
            )
        options.sealing(gateway)
        return options

    @property
    def dialect(self) -> Dialect:
        """The form of the protocol."""
        flagged = self.edition == "2019" if self.sign_flag is None else self.sign_flag
        return Dialect(flagged, len(self.platform), self.clock == "local")

    def sealing(self, gateway: GatewaySettings) -> Sealing | None:
        """How frames are signed, None for not at all; `SettingsError` when nobody can, or nobody could be verified."""
        if self.signature == "none":
            if self.key or self.device or self.cert_sn or self.terminal_keys:
                raise SettingsError(
                    f'{named(gateway)}：填了签名的密钥或证书，signature 却是 "none"。',
                    remedy='要签名请写 signature = "required"；不签名请删去 key、device、cert_sn、terminal_keys。',
                )
            return None
        signer = our_signer(gateway, key=self.key, device=self.device, serial=self.cert_sn)
        keys = known_keys(gateway, "terminal_keys", self.terminal_keys)
        if not keys and self.verify is Policy.REQUIRE:
            raise SettingsError(
                f"{named(gateway)}：要求终端签名，却没有 terminal_keys。",
                remedy="请登记终端的证书；终端不签名的，请把 verify 改为 ignore（回报将可被伪造）。",
            )
        return Sealing(
            signer, self.cert_sn.upper(), keys, self.verify, self.dialect,
            timed=self.utc_signed, all_of_it=self.signed == "all",
        )  # fmt: skip

    @property
    def allowed(self) -> tuple[Network, ...]:
        """The networks that terminals come from."""
        return tuple(network(each) for each in self.allow)

    def admits(self, code: str) -> bool:
        """Whether a terminal of this code is one of ours."""
        return not self.admit or code.startswith(self.admit)
