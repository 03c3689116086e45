"""The rehearsal carrier: short messages over the rehearsal line."""

from __future__ import annotations

from collections.abc import Sequence

from broadcaster.ports import Medium, Message
from channels.line.driver import LinePlugin


def compose(message: Message) -> Sequence[str]:
    """An SMS is its text."""
    return (message.text,)


plugin = LinePlugin(Medium.SMS, compose)
