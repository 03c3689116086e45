"""The rehearsal WeChat server: template messages over the rehearsal line."""

from __future__ import annotations

from collections.abc import Sequence

from broadcaster.ports import Medium, Message
from channels.line.driver import LinePlugin


def compose(message: Message) -> Sequence[str]:
    """A template message is its title, named values and link; the text is what the reader sees."""
    fields = (part for field in message.fields.items() for part in field)
    return message.text, message.subject, "", message.url, "", *fields


plugin = LinePlugin(Medium.WECHAT, compose)
