"""A message as WeCom shows it: a card with a button for who is asked to confirm, a text for everybody else.

Lengths: 发送应用消息, text and template_card of the kind button_interaction (按钮交互型).
"""

from __future__ import annotations

from typing import Any

from broadcaster.ports import DeliveryKey, Message
from channels.wechat.cutting import cut, cut_octets

LONGEST_TEXT = 2048  # octets
LONGEST_TITLE = 36  # characters, as are the following
LONGEST_LINE = 44
LONGEST_BODY = 160


def text(message: Message) -> dict[str, Any]:
    """The part of a request that says a plain text; its link stays whole."""
    return {"msgtype": "text", "text": {"content": cut_octets(message.text, LONGEST_TEXT, keep=message.url)}}


def card(message: Message, key: DeliveryKey) -> dict[str, Any]:
    """The part that shows a card with a button. The button's key is what pressing it answers, its task the delivery."""
    title = message.fields.get("first") or message.subject or message.text
    line = " ".join(part for part in (message.fields.get("keyword4"), message.fields.get("keyword5")) if part)
    body = message.fields.get("remark") or message.text
    shown: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": cut(title, LONGEST_TITLE), "desc": cut(line, LONGEST_LINE)},
        "sub_title_text": cut(body, LONGEST_BODY),
        "task_id": str(key),
        "button_list": [{"text": button(title), "style": 1, "key": message.answer}],
    }
    if message.url:
        shown["card_action"] = {"type": 1, "url": message.url}
    return {"msgtype": "template_card", "template_card": shown}


def button(title: str) -> str:
    """What the button says, in the language of the title."""
    return "收到" if any("\u4e00" <= character <= "\u9fff" for character in title) else "Received"
