"""WeCom's platform: one message to one member, or the same to a thousand, by `message/send`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import monotonic

import msgspec

from broadcaster.errors import InputError
from broadcaster.ports import Accepted, Deferred, Envelope, Outcome, Rejected
from channels.http.exchange import Answer, Request
from channels.http.provider import RETRY_AFTER, UNFIT_AFTER, Call, Halt, Reading, Stale
from channels.wechat.asking import posted
from channels.wechat.channel import check_link, member
from channels.wechat.token import STALE, AccessToken, Monotonic
from channels.wechat.wecom.message import card, text
from channels.wechat.wecom.settings import WecomOptions
from channels.wechat.wording import worded

MOST = 1000
"""Members in one request."""

REMEDY = "请核对 corpid、agent、secret，以及应用的企业可信 IP。"
REPEATED = 14_400
"""Seconds in which the platform drops a request that says the same to the same members again (4 hours, its most)."""

BUSY, NOBODY = -1, 81013
MEANINGS = {
    BUSY: "企业微信忙",
    40001: "Secret 不对",
    40013: "corpid 不对",
    40014: "access_token 不对",
    40056: "agent 不对",
    41011: "缺少 agent",
    42001: "access_token 过期",
    45002: "内容太长",
    45009: "调用太频繁或今日的用完",
    45033: "同时的调用太多",
    48002: "应用没有这个接口的权限",
    60011: "应用没有权限",
    60020: "本机地址不在应用的企业可信 IP 里",
    NOBODY: "企业微信没有这个成员，或不在应用的可见范围里",
    301002: "应用没有权限",
}
_WAITS = {45009: 10.0, 45033: 1.0}
_UNFIT = frozenset({40013, 40056, 41011, 48002, 60011, 60020, 301002})
_NO_MEMBER = f"invaliduser {MEANINGS[NOBODY]}"
_NO_LICENCE = "unlicenseduser 这个成员没有接口许可"


class _Sent(msgspec.Struct):
    """`invaliduser` and `unlicenseduser` in lower case, with | between."""

    errcode: int
    errmsg: str = ""
    invaliduser: str = ""
    unlicenseduser: str = ""
    msgid: str = ""


_SENT = msgspec.json.Decoder(_Sent)


class Wecom:
    """As `channels.http.provider.Provider`, and `Expires`."""

    def __init__(self, options: WecomOptions, clock: Monotonic = monotonic) -> None:
        self._options = options
        self._send = options.url / "cgi-bin/message/send"
        url = (options.url / "cgi-bin/gettoken").with_query(corpid=options.corpid, corpsecret=options.secret)
        self._token = AccessToken(Request("gettoken", url, method="GET"), MEANINGS, REMEDY, clock)

    async def sign_in(self, call: Call) -> None:
        """As `Provider.sign_in`: a token is given to who is let in."""
        await self._token.fetch(call)

    async def renew(self, call: Call) -> None:
        """As `Provider.renew`."""
        await self._token.fetch(call)

    def due(self) -> bool:
        """As `Expires.due`."""
        return self._token.due()

    def check(self, envelope: Envelope) -> None:
        """As `Provider.check`."""
        member(envelope.address)
        if not envelope.message.text.strip():
            raise InputError("企业微信消息没有正文。", remedy="请检查微信模板。")
        check_link(envelope.message)

    def groups(self, envelopes: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
        """As `Provider.groups`: those that say the same go together, what has a button goes alone. Who is to get the
        same twice gets it in two requests."""
        alike: dict[tuple[str, str], list[dict[str, Envelope]]] = {}
        for envelope in envelopes:
            if self._asks(envelope):
                yield (envelope,)
                continue
            bunches = alike.setdefault((envelope.message.text, envelope.message.url), [])
            who = member(envelope.address)
            bunch = next((one for one in bunches if who not in one and len(one) < MOST), None)
            if bunch is None:
                bunches.append(bunch := {})
            bunch[who] = envelope
        for bunches in alike.values():
            yield from (tuple(bunch.values()) for bunch in bunches)

    def request(self, group: Sequence[Envelope]) -> Request:
        """As `Provider.request`."""
        first = group[0]
        said = card(first.message, first.key) if self._asks(first) else text(first.message)
        content = {
            "touser": "|".join(member(envelope.address) for envelope in group),
            "agentid": self._options.agent,
            **said,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": REPEATED,
        }
        return posted("message/send", self._send.with_query(access_token=self._token.value), content)

    def read(self, group: Sequence[Envelope], answer: Answer) -> Reading:
        """As `Provider.read`."""
        sent = answer.read(_SENT)
        code = sent.errcode
        if code in (0, NOBODY):
            return list(_each(group, sent))
        reason = worded(code, sent.errmsg, MEANINGS)
        if code in STALE:
            return Stale(reason)
        if code in _WAITS or code in _UNFIT:
            return Halt(reason, _WAITS.get(code, UNFIT_AFTER))
        if code == BUSY:
            return [Deferred(envelope.key, reason, RETRY_AFTER) for envelope in group]
        return [Rejected(envelope.key, reason) for envelope in group]

    def _asks(self, envelope: Envelope) -> bool:
        """Whether it gets a button; where nothing comes back, nobody would hear that it was pressed."""
        return bool(envelope.message.answer) and self._options.token is not None


def _each(group: Sequence[Envelope], sent: _Sent) -> Iterable[Outcome]:
    """Who has it, and who cannot have it: the platform says success as long as there is one who has."""
    unknown, unlicensed = _names(sent.invaliduser), _names(sent.unlicenseduser)
    for envelope in group:
        who = member(envelope.address)
        if who in unlicensed:
            yield Rejected(envelope.key, _NO_LICENCE)
        elif who in unknown or sent.errcode == NOBODY:
            yield Rejected(envelope.key, _NO_MEMBER)
        else:
            yield Accepted(envelope.key, sent.msgid)


def _names(written: str) -> set[str]:
    return {name.strip().lower() for name in written.split("|")}
