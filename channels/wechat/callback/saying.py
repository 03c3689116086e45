"""What somebody wrote, pressed or sent, as a reply."""

from __future__ import annotations

import hashlib

from broadcaster.ports import Reply
from channels.wechat.callback.notice import Notice

_SENT = {
    "voice": "〔语音〕",
    "image": "〔图片〕",
    "video": "〔视频〕",
    "shortvideo": "〔视频〕",
    "location": "〔位置〕",
    "link": "〔链接〕",
    "file": "〔文件〕",
}
"""What nobody here can read is shown as having come: somebody in need may well send a picture."""


def replied(notice: Notice, address: str) -> Reply | None:
    """The reply in a notice, from `address`; None when it is none. `InputError` when its time is no time."""
    text = _text(notice)
    return None if text is None else Reply(name(notice), address, text, notice.at())


def name(notice: Notice) -> str:
    """What tells a notice that comes again from a new one: MsgId; of an event who, when, and what."""
    if notice["MsgId"]:
        return notice["MsgId"]
    what = (notice["FromUserName"], notice["CreateTime"], notice["Event"], notice["EventKey"], notice["TaskId"])
    return hashlib.sha256("\n".join(what).encode("utf-8", "replace")).hexdigest()


def back(notice: Notice) -> dict[str, str]:
    """The head of an answer to whoever sent the notice, at the same moment by the platform's clock."""
    return {
        "ToUserName": notice["FromUserName"],
        "FromUserName": notice["ToUserName"],
        "CreateTime": notice["CreateTime"],
    }


def _text(notice: Notice) -> str | None:
    kind = notice["MsgType"].lower()
    if kind == "text":
        return notice["Content"]
    if kind == "event":
        return notice["EventKey"] if notice["Event"].upper() == "CLICK" else None
    if kind in _SENT:
        return notice["Recognition"] or f"{_SENT[kind]}{notice['Label']}"
    return None
