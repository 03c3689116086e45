"""What an app of 企业微信 says to members, and a robot to its group: as it is posted, and as its reader sees it."""

from __future__ import annotations

import re

import msgspec

from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.reading import Reading, read

LONGEST_TEXT, LONGEST_MARKDOWN = 2048, 4096  # octets
LONGEST_TITLE, LONGEST_BUTTON, MOST_BUTTONS = 128, 64, 6

_TASK = re.compile(r"[A-Za-z0-9_@-]{1,128}")


class _Text(msgspec.Struct, frozen=True):
    content: str = ""


class _Title(msgspec.Struct, frozen=True):
    title: str = ""
    desc: str = ""


class _Button(msgspec.Struct, frozen=True):
    text: str = ""
    key: str = ""


class _Link(msgspec.Struct, frozen=True):
    url: str = ""


class _Card(msgspec.Struct, frozen=True):
    card_type: str = ""
    main_title: _Title = _Title()
    sub_title_text: str = ""
    task_id: str = ""
    button_list: list[_Button] = []
    card_action: _Link = _Link()


class Message(msgspec.Struct, frozen=True):
    """What is sent to members: a text, or a card."""

    touser: str = ""
    msgtype: str = ""
    agentid: int = 0
    text: _Text = _Text()
    template_card: _Card = _Card()
    enable_duplicate_check: int = 0
    duplicate_check_interval: int = 1800


class Posted(msgspec.Struct, frozen=True):
    """What a robot says."""

    msgtype: str = ""
    text: _Text = _Text()
    markdown: _Text = _Text()


def read_message(message: Message, account: Account) -> Reading | None:
    """The message as its reader sees it; None for what the platform does not take."""
    if message.msgtype == "text":
        text = message.text.content
        return read(text, account.asks) if text.strip() and len(text.encode()) <= LONGEST_TEXT else None
    card = message.template_card
    title, buttons = card.main_title, card.button_list
    good = (
        message.msgtype == "template_card"
        and card.card_type == "button_interaction"
        and 0 < len(title.title) <= LONGEST_TITLE
        and 0 < len(buttons) <= MOST_BUTTONS
        and all(0 < len(one.text) <= LONGEST_BUTTON and one.key for one in buttons)
        and _TASK.fullmatch(card.task_id) is not None
    )
    if not good:
        return None
    shown = "\n".join(part for part in (title.title, title.desc, card.sub_title_text, f"［{buttons[0].text}］") if part)
    found = read(shown, account.asks, card.card_action.url)
    return msgspec.structs.replace(found, asks=True, code="", task=card.task_id, key=buttons[0].key)


def read_posted(posted: Posted, account: Account) -> Reading | None:
    """The same of what a robot says."""
    markdown = posted.msgtype == "markdown"
    content, longest = (posted.markdown.content, LONGEST_MARKDOWN) if markdown else (posted.text.content, LONGEST_TEXT)
    return read(content, account.asks) if content.strip() and len(content.encode()) <= longest else None
