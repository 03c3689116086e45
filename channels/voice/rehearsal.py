"""The rehearsal voice carrier: calls over the rehearsal line; a key pressed comes back as a reply."""

from __future__ import annotations

from collections.abc import Sequence

from broadcaster.ports import Medium, Message
from channels.line.driver import LinePlugin


def compose(message: Message) -> Sequence[str]:
    """A call plays the audio; the text is what it says."""
    return message.text, "", "", "", message.audio.sha256 if message.audio else ""


plugin = LinePlugin(Medium.VOICE, compose)
