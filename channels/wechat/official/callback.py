"""What the official account's platform (公众平台) tells us: delivered or not, what a follower said, who follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from broadcaster.errors import InputError
from broadcaster.ports import CallbackResult, Evidence, Follow, Receipt
from channels.wechat.callback.door import Door, OpenDoor
from channels.wechat.callback.notice import Notice
from channels.wechat.callback.saying import back, replied
from channels.wechat.channel import openid

NOTHING = b"success"
"""The answer after which the platform is content; any other, and its users read that the account is out of order."""

_SCENE = "qrscene_"
_FAILED = {"user block": "用户拒收", "system failed": "微信平台发送失败"}


@dataclass(frozen=True, slots=True)
class OfficialCallback:
    """`door` admits what is said; `threshold` the test of our address, which is never sealed."""

    door: Door
    threshold: OpenDoor

    def read(self, query: Mapping[str, str], body: bytes) -> CallbackResult:
        """Receipts, replies and followers; `UnauthenticatedError` or `InputError` as the door says."""
        if "echostr" in query and not body:
            return CallbackResult((), (), 200, "text/plain", self.threshold.echo(query))
        notice = self.door.notice(query, body)
        if notice["MsgType"].lower() == "event" and notice["Event"].upper() == "TEMPLATESENDJOBFINISH":
            return CallbackResult([_receipt(notice)], (), 200, "text/plain", NOTHING)
        who = _sender(notice)
        if who is None:
            return CallbackResult((), (), 200, "text/plain", NOTHING)
        reply, follow = replied(notice, who), _follow(notice, who)
        return CallbackResult(
            receipts=(),
            replies=() if reply is None else (reply,),
            status=200,
            content_type="text/plain",
            body=NOTHING,
            follows=() if follow is None else (follow,),
            say=partial(self._say, notice),
        )

    def _say(self, notice: Notice, words: str) -> CallbackResult:
        answer = {**back(notice), "MsgType": "text", "Content": words}
        return CallbackResult((), (), 200, "application/xml", self.door.answer(answer))


def _receipt(notice: Notice) -> Receipt:
    status = notice["Status"].strip()
    if not notice["MsgID"] or not status:
        raise InputError("微信回执没有 MsgID 或 Status。", remedy="请核对回调地址填的是哪个平台。")
    if status == "success":
        return Receipt(notice["MsgID"], None, Evidence.DELIVERED, "", notice.at())
    why = status.partition(":")[2].strip()
    return Receipt(notice["MsgID"], None, Evidence.FAILED, f"{status[:60]} {_FAILED.get(why, '')}".strip(), notice.at())


def _sender(notice: Notice) -> str | None:
    """Whose notice it is; None for the platform's own, which come without a follower."""
    try:
        return openid(notice["FromUserName"])
    except InputError:
        return None


def _follow(notice: Notice, who: str) -> Follow | None:
    if notice["MsgType"].lower() != "event":
        return None
    match notice["Event"].lower():
        case "subscribe":
            key = notice["EventKey"]
            return Follow(who, True, key.removeprefix(_SCENE) if key.startswith(_SCENE) else "", notice.at())
        case "scan":
            return Follow(who, True, notice["EventKey"], notice.at())
        case "unsubscribe":
            return Follow(who, False, "", notice.at())
    return None
