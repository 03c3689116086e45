"""WeChat's platforms in the script."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from broadcaster.rehearsal.script.front import FrontScript, Listen, endpoint
from channels.line.settings import Address

APPID, CORPID, AGENT, SECRET = "wx5823bf96d3bd56c7", "ww0123456789abcdef", 1000002, "rehearsal-of-a-secret"
"""The accounts that gateways have, unless others are given."""

FIELDS = {
    "thing1": "keyword1", "thing2": "keyword2", "time3": "keyword3", "thing4": "keyword4", "thing5": "keyword5",
}  # fmt: skip
"""What of a message fills the fields of the template that the script has unless others are given."""

TEMPLATE = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
TEMPLATE_CONTENT = (
    "预警：{{thing1.DATA}}\n发布单位：{{thing2.DATA}}\n发布时间：{{time3.DATA}}\n涉及区域：{{thing4.DATA}}\n"
    "请您：{{thing5.DATA}}"
)
"""The template that an official account has, unless others are given: as those may be chosen from since 2023."""

AES_KEY = "rehearsalEncodingAESKeyOf43Characters000000"


class PlatformFront(FrontScript, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A platform of WeChat's listens at `listen`. `call_back`: where it calls its client (`/callbacks/<gateway>`), ""
    = nowhere until it is told; `token` and `aes_key` are what the client has put in for that (Token, EncodingAESKey);
    `lasts`: seconds of an access token; `busy`: the errcode for who is to come again later (−1 busy, 45009 the quota
    is used up, 45011 too often, 45033 too many at a time).
    """

    listen: Listen = "tcp:127.0.0.1:0"
    call_back: str = ""
    token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{3,32}$")] = "rehearsalToken"  # noqa: S105 (of a rehearsal)
    aes_key: Annotated[str, Meta(pattern=r"^([A-Za-z0-9]{43})?$")] = AES_KEY
    lasts: Annotated[int, Meta(ge=1, le=7200)] = 7200
    busy: int = 45009


class OfficialFront(PlatformFront, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """公众平台. `templates`: what each template of an account says, by its id; `menu`: answers for which its menu has a
    key, so that people press that and do not write; `aes_key` "" is 明文模式."""

    templates: dict[str, str] = msgspec.field(default_factory=lambda: {TEMPLATE: TEMPLATE_CONTENT})
    menu: tuple[str, ...] = ()

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:  # noqa: ARG002 (there is one)
        sealed = {"aes_key": self.aes_key} if self.aes_key else {}
        return {
            "endpoint": endpoint(at),
            "appid": APPID,
            "secret": SECRET,
            "template": TEMPLATE,
            "fields": FIELDS,
            "token": self.token,
            **sealed,
        }


class WecomFront(PlatformFront, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """企业微信. `robots`: the key of the robot in each group, by the group's name."""

    drivers: ClassVar[tuple[str, ...]] = ("wecom", "robot")

    aes_key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{43}$")] = AES_KEY
    robots: dict[str, str] = msgspec.field(default_factory=dict)

    def gateway(self, driver: str, at: Address | None) -> dict[str, object]:
        where = {"endpoint": endpoint(at)}
        if driver == "robot":
            return {**where, "groups": dict(self.robots)}
        calls = {"token": self.token, "aes_key": self.aes_key}
        return {**where, "corpid": CORPID, "agent": AGENT, "secret": SECRET, **calls}
