"""The options of a gateway to an emergency broadcast platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.http.settings import HttpOptions, Seconds
from channels.loudspeaker.ebd.profile import PROFILES, Profile
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.options import known_keys, our_signer
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.signer import Signer
from channels.options import named

Digits = Annotated[str, Meta(pattern=r"^[0-9]{18}([0-9]{5})?$", description="23 位或 18 位资源编码")]
_SHARE = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)")


class EbdOptions(HttpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a `[[gateways]]` entry may say besides the general keys; times in seconds.

    `source` and `peer`: our platform's EBRID and theirs. `profile`: the dialect; `utc_signed` overrides whether the
    time is signed too. `key` (PEM or hex) or `device` (address of a cipher device, see `signer.py`) signs with the
    certificate `cert_sn`; `issuer` is the IssuerID that the older form names. `peer_keys`: their certificates or
    public keys by serial number. `verify`: what their packages must have; `verify_answers`: what their answers to
    ours must have. `fresh`: how old a package may be.

    `event`: EventType of an alert that has none; `sender_code`: SenderCode; `callback_url`: SRC's URL; `language`:
    LanguageCode; `play_within`: seconds from now to EndTime, 0: the alert's end. `drill`: how a drill is told from the
    real thing; `cancel`: how a cancellation names what it cancels. `share`: which part of how many of
    the numbers of `source` is this gateway's (`serials.py`).

    `gather`: how long messages of one alert are waited for, to go out as one EBM of at most `terminals_max`;
    `heartbeat`: between ConnectionChecks, of which `missed` in a row may fail; `poll`: until the first EBMStateRequest
    about a broadcast, 0: none.
    """

    needed: ClassVar[str] = "endpoint、source、peer、peer_keys、cert_sn、key/device"
    plain: ClassVar[bool] = True

    source: Digits
    peer: Digits
    profile: Literal["2018", "2023"] = "2023"
    utc_signed: bool | None = None
    key: Annotated[str, Meta(min_length=64, max_length=8192)] | None = None
    device: str = ""
    cert_sn: str = ""
    issuer: Annotated[str, Meta(max_length=64)] = ""
    peer_keys: Mapping[str, str] = {}
    verify: Policy = Policy.REQUIRE
    verify_answers: Policy = Policy.PREFER
    fresh: Annotated[float, Meta(ge=60, le=30 * 86_400)] = 86_400.0
    event: Annotated[str, Meta(pattern=r"^[0-9A-Z]{5}$", description="5 位事件类型编码")] = "00000"
    sender_code: Annotated[str, Meta(max_length=64)] = ""
    callback_url: str = ""
    language: Annotated[str, Meta(pattern=r"^[a-z]{3}$", description="三个小写字母的语种代码，如 zho")] = "zho"
    play_within: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    drill: Literal["severity", "simulated", "actual", "title"] = "severity"
    cancel: Literal["related", "same"] = "related"
    share: str = "1/1"
    terminals_max: Annotated[int, Meta(ge=1, le=5000)] = 2000
    gather: Annotated[float, Meta(ge=0, le=5)] = 0.3
    answer_timeout: Seconds = 60.0
    heartbeat: Seconds = 60.0
    missed: Annotated[int, Meta(ge=1, le=20)] = 3
    poll: Annotated[float, Meta(ge=0, le=3600)] = 60.0
    window: Annotated[int, Meta(ge=1, le=10_000)] = 4000

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """As `HttpOptions.read`; besides, codes must have the profile's lengths, and keys must be keys."""
        options = super().read(gateway)
        profile = PROFILES[options.profile]
        for key, code in (("source", options.source), ("peer", options.peer)):
            if not profile.is_resource(code):
                raise SettingsError(
                    f"{named(gateway)}：{key} 不是 {profile.name} 版的资源编码。",
                    remedy=f"应为 {profile.resource} 位数字；其他位数请改 profile。",
                )
        if gateway.slots != 1:
            raise SettingsError(
                f"{named(gateway)}：slots 应为 1。", remedy="EBM 的编号按时间给出，同一平台只能由一个连接播发。"
            )
        options.signer(gateway)
        options.trust_in_peer(gateway)
        options.lane(gateway)
        return options

    @property
    def dialect(self) -> Profile:
        """The profile, with what this gateway has otherwise."""
        profile = PROFILES[self.profile]
        return profile if self.utc_signed is None else replace(profile, utc_signed=self.utc_signed)

    def signer(self, gateway: GatewaySettings) -> Signer:
        """Who signs for us; `SettingsError` when nobody can."""
        return our_signer(gateway, key=self.key, device=self.device, serial=self.cert_sn)

    def trust_in_peer(self, gateway: GatewaySettings) -> Trust:
        """Their keys; `SettingsError` for what is none, or when signatures are asked for and there is none."""
        keys = known_keys(gateway, "peer_keys", self.peer_keys)
        if not keys and Policy.REQUIRE in (self.verify, self.verify_answers):
            raise SettingsError(
                f"{named(gateway)}：要求对方签名，却没有 peer_keys。",
                remedy="请登记对方的证书；或把 verify 改为 prefer 或 ignore（回执将可被伪造）。",
            )
        return Trust(keys, self.dialect)

    def lane(self, gateway: GatewaySettings) -> tuple[int, int]:
        """`share` as two numbers."""
        found = _SHARE.fullmatch(self.share)
        if found is None or int(found[1]) > int(found[2]):
            raise SettingsError(f"{named(gateway)}：share 应为 第几/共几，如 1/2。")
        return int(found[1]), int(found[2])
