"""The options of a gateway whose robots stand in WeCom groups."""

from __future__ import annotations

import re
from typing import ClassVar, Literal, Self

from broadcaster.errors import SettingsError
from broadcaster.ports import GatewaySettings
from channels.http.settings import HttpOptions
from channels.options import named

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_KEY = re.compile(r"[A-Za-z0-9-]{16,64}")


class RobotOptions(HttpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`groups` has each group's name, as in the addresses `group:name`, and its robot's key, which lets anybody who
    knows it write to the group. `shown`: as plain text, or as markdown."""

    needed: ClassVar[str] = "groups"
    home: ClassVar[str] = "https://qyapi.weixin.qq.com"

    groups: dict[str, str]
    shown: Literal["text", "markdown"] = "text"

    @classmethod
    def read(cls, gateway: GatewaySettings) -> Self:
        """As `HttpOptions.read`. One slot: it is what holds a group's limit, however many workers there are."""
        options = super().read(gateway)
        if not options.groups:
            raise SettingsError(f"{named(gateway)}：groups 里没有群。", remedy="请写上 群名称 = 机器人的 key。")
        for name, key in options.groups.items():
            if not _NAME.fullmatch(name):
                raise SettingsError(
                    f"{named(gateway)}：群名称 {name!r} 不合格。", remedy="应为小写字母、数字、- 和 _。"
                )
            if not _KEY.fullmatch(key):
                raise SettingsError(
                    f"{named(gateway)}：群 {name} 的 key 不合格。", remedy="应为机器人地址里 key= 后面的那一段。"
                )
        if gateway.slots != 1:
            raise SettingsError(
                f"{named(gateway)}：slots 只能是 1。", remedy="去掉 slots：每群每分钟 20 条由一条连接守住。"
            )
        return options
