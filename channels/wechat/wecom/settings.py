"""The options of a gateway of WeCom (企业微信)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.http.provider import Now, utc_now
from channels.http.settings import HttpOptions
from channels.options import named
from channels.wechat.callback.door import SealedDoor
from channels.wechat.callback.seal import Seal, key_of


class WecomOptions(HttpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`corpid` is the office's, `agent` and `secret` the app's (AgentId, Secret). `token` and `aes_key` are its
    接收消息 settings; without them nothing comes back, and no button is shown."""

    needed: ClassVar[str] = "corpid、agent、secret"
    home: ClassVar[str] = "https://qyapi.weixin.qq.com"

    corpid: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{10,64}$", description="企业 ID：10 到 64 位字母、数字、- 和 _")
    ]
    agent: Annotated[int, Meta(ge=1)]
    secret: Annotated[str, Meta(min_length=16, max_length=128)]
    token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,32}$", description="1 到 32 位数字和字母")] | None = None
    aes_key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{43}$", description="43 位数字和字母")] | None = None

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """As `HttpOptions.read`."""
        options = super().read(gateway)
        if (options.token is None) != (options.aes_key is None):
            missing = "token" if options.token is None else "aes_key"
            raise SettingsError(f"{named(gateway)}：缺少 {missing}。", remedy="token 和 aes_key 须同时填写或同时留空。")
        return options

    def door(self, now: Now = utc_now) -> SealedDoor | None:
        """How callbacks are admitted; None when none are."""
        if self.token is None or self.aes_key is None:
            return None
        return SealedDoor(self.token, Seal(key_of(self.aes_key), self.corpid), now)
