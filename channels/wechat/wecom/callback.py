"""What WeCom (企业微信) tells us: what a member wrote, and the button that somebody on duty pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadcaster.errors import InputError
from broadcaster.ports import CallbackResult, DeliveryKey, Reply
from channels.wechat.callback.door import SealedDoor
from channels.wechat.callback.notice import Notice, Texts
from channels.wechat.callback.saying import back, name, replied
from channels.wechat.channel import address

PRESSED = "已提交"
"""What the button says once it was pressed. That it was counted is for the core to say."""

_LONGEST_KEY = 64


@dataclass(frozen=True, slots=True)
class WecomCallback:
    """`door` admits what is said, the test of our address included."""

    door: SealedDoor

    def read(self, query: Mapping[str, str], body: bytes) -> CallbackResult:
        """Replies; `UnauthenticatedError` or `InputError` as the door says."""
        if "echostr" in query and not body:
            return CallbackResult((), (), 200, "text/plain", self.door.echo(query))
        notice = self.door.notice(query, body)
        try:
            who = address(f"wecom:{notice['FromUserName']}")
        except InputError:  # the platform's own: "sys"-tem events have no member, or one that cannot be ours
            return CallbackResult((), (), 200, "text/plain", b"")
        if notice["MsgType"].lower() == "event" and notice["Event"].lower() == "template_card_event":
            return self._pressed(notice, who)
        reply = replied(notice, who)
        return CallbackResult((), () if reply is None else (reply,), 200, "text/plain", b"")

    def _pressed(self, notice: Notice, who: str) -> CallbackResult:
        key = key_of(notice["TaskId"])
        if key is None:  # a card of somebody else's: what its button says answers nothing of ours
            return CallbackResult((), (), 200, "text/plain", b"")
        reply = Reply(name(notice), who, notice["EventKey"], notice.at(), key)
        answer: Texts = {**back(notice), "MsgType": "update_button", "Button": {"ReplaceName": PRESSED}}
        return CallbackResult((), (reply,), 200, "application/xml", self.door.answer(answer))


def key_of(task: str) -> DeliveryKey | None:
    """The delivery that a card's task names; None when the card was none of ours."""
    if len(task) > _LONGEST_KEY or not task.isascii():
        return None
    try:
        return DeliveryKey.parse(task)
    except ValueError:
        return None
