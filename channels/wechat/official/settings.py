"""The options of a gateway of the official account (公众号)."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.http.provider import Now, utc_now
from channels.http.settings import HttpOptions
from channels.options import named
from channels.wechat.callback.door import Door, OpenDoor, SealedDoor
from channels.wechat.callback.seal import Seal, key_of

OURS = ("first", "keyword1", "keyword2", "keyword3", "keyword4", "keyword5", "remark", "subject", "text")
"""What of a message a template's field may be filled with."""

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class OfficialOptions(HttpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`template` is the template's id in this account; `fields` its fields' names, each with ours (`OURS`) that fills
    it, none: it has fields by our names. `token` and `aes_key` are those of 服务器配置: without a token nothing comes
    back, without an aes_key it comes unsealed (明文模式)."""

    needed: ClassVar[str] = "appid、secret、template"
    home: ClassVar[str] = "https://api.weixin.qq.com"

    appid: Annotated[str, Meta(pattern=r"^wx[0-9a-f]{16}$", description="公众号的 AppID：wx 加 16 位")]
    secret: Annotated[str, Meta(min_length=16, max_length=64)]
    template: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{20,64}$", description="模板 ID：20 到 64 位字母、数字、- 和 _")
    ]
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{3,32}$", description="3 到 32 位数字和字母")] | None = None
    aes_key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{43}$", description="43 位数字和字母")] | None = None

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """As `HttpOptions.read`."""
        options = super().read(gateway)
        for theirs, ours in options.fields.items():
            if not _FIELD.fullmatch(theirs) or ours not in OURS:
                raise SettingsError(
                    f"{named(gateway)}：fields 中的 {theirs} = {ours!r} 不合格。",
                    remedy=f'应写作 模板字段 = "本系统字段"，如 thing1 = "keyword1"；本系统字段有 {"、".join(OURS)}。',
                )
        if options.aes_key and not options.token:
            raise SettingsError(
                f"{named(gateway)}：有 aes_key 而没有 token。", remedy="请按公众平台的服务器配置填写 token。"
            )
        return options

    def threshold(self, now: Now = utc_now) -> OpenDoor | None:
        """How the test of our address is admitted, which is never sealed; None when there is no token."""
        return None if self.token is None else OpenDoor(self.token, now)

    def door(self, now: Now = utc_now) -> Door | None:
        """How callbacks are admitted; None when there is no token."""
        if self.token is None or self.aes_key is None:
            return self.threshold(now)
        return SealedDoor(self.token, Seal(key_of(self.aes_key), self.appid), now)
