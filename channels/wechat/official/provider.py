"""The official account's platform: one template message to one follower, by `message/template/send`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic

import msgspec
from yarl import URL

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Envelope, Rejected
from channels.http.exchange import Answer, Request
from channels.http.provider import RETRY_AFTER, UNFIT_AFTER, Call, Halt, Now, Reading, Stale, singly, utc_now
from channels.wechat.asking import posted
from channels.wechat.channel import check, openid
from channels.wechat.official.settings import OURS, OfficialOptions
from channels.wechat.official.template import unfilled, values
from channels.wechat.token import STALE, AccessToken, Monotonic
from channels.wechat.wording import worded

REMEDY = "请核对 appid、secret，以及公众平台的 IP 白名单。"
BUSY = -1
SENT_BEFORE = 45065
"""The platform has a message of this client_msg_id already."""

MEANINGS = {
    BUSY: "微信平台忙",
    40001: "access_token 或 AppSecret 不对",
    40003: "openid 不对，不是本公众号的关注者",
    40013: "appid 不对",
    40014: "access_token 不对",
    40037: "模板编号不对",
    40125: "AppSecret 不对",
    40164: "本机地址不在公众平台的 IP 白名单里",
    40243: "AppSecret 已被冻结",
    42001: "access_token 过期",
    43004: "没有关注本公众号",
    43019: "在本公众号的黑名单里",
    43101: "用户拒收",
    45009: "今日的调用次数用完",
    45011: "调用太频繁",
    47003: "模板字段的内容不合要求",
    48001: "本公众号没有发送模板消息的权限",
    48004: "发送模板消息的权限被封禁",
    50002: "用户受限",
}
_WAITS = {45009: 60.0, 45011: 5.0}
_UNFIT = frozenset({40013, 40037, 40125, 40164, 40243, 48001, 48004})
"""What the operator must mend at the platform or in the settings."""


class _Sent(msgspec.Struct):
    errcode: int
    errmsg: str = ""
    msgid: int = 0


class _Template(msgspec.Struct):
    template_id: str
    content: str = ""


class _Templates(msgspec.Struct):
    errcode: int = 0
    template_list: list[_Template] = []


_SENT = msgspec.json.Decoder(_Sent)
_TEMPLATES = msgspec.json.Decoder(_Templates)


class Official:
    """As `channels.http.provider.Provider`, and `Expires`."""

    def __init__(self, options: OfficialOptions, clock: Monotonic = monotonic, now: Now = utc_now) -> None:
        self._options = options
        self._now = now
        self._send = options.url / "cgi-bin/message/template/send"
        self._token = AccessToken(token_request(options), MEANINGS, REMEDY, clock)

    async def sign_in(self, call: Call) -> None:
        """Get a token, and see whether the template is there and all of its fields will be filled: at the start, not
        when it matters."""
        await self._token.fetch(call)
        url = self._with_token(self._options.url / "cgi-bin/template/get_all_private_template")
        found = (await call(Request("template/get_all_private_template", url, method="GET"))).read(_TEMPLATES)
        if found.errcode:  # it may not list them; sending will tell
            return
        content = next((one.content for one in found.template_list if one.template_id == self._options.template), None)
        if content is None:
            raise UnavailableError(
                "公众号里没有网关所设的模板。", remedy="请核对网关的 template 与公众平台的“我的模板”。"
            )
        if missing := unfilled(content, self._options.fields, OURS[:-2]):
            raise UnavailableError(
                f"模板的字段 {'、'.join(missing)} 没有内容可填。",
                remedy=f"请在网关的 fields 里为它们各指定一个：{'、'.join(OURS)}。",
            )

    async def renew(self, call: Call) -> None:
        """As `Provider.renew`."""
        await self._token.fetch(call)

    def due(self) -> bool:
        """As `Expires.due`."""
        return self._token.due()

    def check(self, envelope: Envelope) -> None:
        """As `Provider.check`."""
        openid(envelope.address)
        check(envelope.message)

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        """As `Provider.groups`: the platform takes one follower at a time."""
        return singly(envelopes)

    def request(self, group: Sequence[Envelope]) -> Request:
        """As `Provider.request`."""
        (envelope,) = group
        filled = values(envelope.message, self._options.fields, envelope.expires, self._now())
        content = {
            "touser": openid(envelope.address),
            "template_id": self._options.template,
            "client_msg_id": client_id(envelope.key),
            "data": {name: {"value": value} for name, value in filled.items()},
        }
        if envelope.message.url:
            content["url"] = envelope.message.url
        return posted("message/template/send", self._with_token(self._send), content)

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        """As `Provider.read`."""
        (envelope,) = group
        sent = answer.read(_SENT)
        code, key = sent.errcode, envelope.key
        if code in (0, SENT_BEFORE):
            return [Accepted(key, str(sent.msgid) if sent.msgid else "")]
        reason = worded(code, sent.errmsg, MEANINGS)
        if code in STALE:
            return Stale(reason)
        if code in _WAITS or code in _UNFIT:
            return Halt(reason, _WAITS.get(code, UNFIT_AFTER))
        if code == BUSY:
            return [Deferred(key, reason, RETRY_AFTER)]
        return [Rejected(key, reason)]

    def _with_token(self, url: URL) -> URL:
        return url.with_query(access_token=self._token.value)


def token_request(options: OfficialOptions) -> Request:
    """The request for a token that does not end other processes' tokens."""
    content = {"grant_type": "client_credential", "appid": options.appid, "secret": options.secret}
    return posted("stable_token", options.url / "cgi-bin/stable_token", content)


def client_id(key: DeliveryKey) -> str:
    """The delivery without its attempt: within ten minutes the platform sends one message of an id to a follower, so
    that what is sent again after a broken connection does not arrive twice."""
    return f"{key.alert}-{key.ordinal}"
