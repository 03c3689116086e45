"""The rehearsal mail server: mails over the rehearsal line."""

from __future__ import annotations

from collections.abc import Sequence

from broadcaster.ports import Medium, Message
from channels.line.driver import LinePlugin


def compose(message: Message) -> Sequence[str]:
    """A mail is its plain body, subject, HTML body and link."""
    return message.text, message.subject, message.html, message.url


plugin = LinePlugin(Medium.EMAIL, compose)
