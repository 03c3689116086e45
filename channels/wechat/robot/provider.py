"""A robot in a WeCom group: one message to the group, by `webhook/send`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from broadcaster.errors import InputError, LimitedError
from broadcaster.ports import Accepted, Deferred, Envelope, Rejected
from channels.http.exchange import Answer, Request
from channels.http.provider import RETRY_AFTER, Call, Reading, singly
from channels.wechat.asking import posted
from channels.wechat.channel import group as name_of
from channels.wechat.cutting import cut_octets, without_link
from channels.wechat.robot.pace import SECONDS, Pace
from channels.wechat.robot.settings import RobotOptions
from channels.wechat.wording import worded

LONGEST = {"text": 2048, "markdown": 4096}  # octets
UNHEARD = "\n（本群收不到回复：确认请回短信，求助请打电话。）"
"""Under every message: nobody may wait for help because of what was written into a group that no system reads."""

BUSY, LIMITED = -1, 45009
MEANINGS = {
    BUSY: "企业微信忙",
    LIMITED: "这个群一分钟内超过 20 条",
    93000: "机器人的 key 不对，或机器人已被移出群",
    45002: "内容太长",
}


class _Sent(msgspec.Struct):
    errcode: int
    errmsg: str = ""


_SENT = msgspec.json.Decoder(_Sent)


class Robot:
    """As `channels.http.provider.Provider`. `pace` is shared by all who write to the same groups."""

    def __init__(self, options: RobotOptions, pace: Pace) -> None:
        self._options = options
        self._pace = pace
        self._send = options.url / "cgi-bin/webhook/send"

    async def sign_in(self, call: Call) -> None:
        """See that the platform answers. A key can be tried only by writing to its group."""
        await call(Request("webhook", self._options.url, method="GET"))

    async def renew(self, call: Call) -> None:
        """A key has no end."""

    def check(self, envelope: Envelope) -> None:
        """As `Provider.check`; the group's place in this minute is taken here."""
        name = name_of(envelope.address)
        if name not in self._options.groups:
            raise InputError("网关的 groups 里没有这个群。", remedy="请在设置里加上它的 key，或改正联系方式。")
        if not envelope.message.text.strip():
            raise InputError("群消息没有正文。", remedy="请检查微信模板。")
        if (left := self._pace.wait(name)) > 0:
            raise LimitedError(MEANINGS[LIMITED], after=left)

    def groups(self, envelopes: Sequence[Envelope]) -> Iterable[Sequence[Envelope]]:
        """As `Provider.groups`."""
        return singly(envelopes)

    def request(self, group: Sequence[Envelope]) -> Request:
        """As `Provider.request`; without the link, which is one person's: whoever follows it answers as that person."""
        (envelope,) = group
        shown, message = self._options.shown, envelope.message
        text = cut_octets(without_link(message.text, message.url), LONGEST[shown] - len(UNHEARD.encode())) + UNHEARD
        key = self._options.groups[name_of(envelope.address)]
        return posted("webhook/send", self._send.with_query(key=key), {"msgtype": shown, shown: {"content": text}})

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        """As `Provider.read`."""
        (envelope,) = group
        sent = answer.read(_SENT)
        key, reason = envelope.key, worded(sent.errcode, sent.errmsg, MEANINGS)
        if sent.errcode == 0:
            return [Accepted(key, "")]
        if sent.errcode == BUSY:
            return [Deferred(key, reason, RETRY_AFTER)]
        if sent.errcode == LIMITED:
            return [Deferred(key, reason, SECONDS, address_only=True)]  # the others have minutes of their own
        return [Rejected(key, reason)]
