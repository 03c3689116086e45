"""A message as its reader sees it: the text, where its link leads, whether it asks to be confirmed."""

from __future__ import annotations

import re
from zlib import crc32

import msgspec

from channels.line.mould import pour
from channels.line.wire import Submit

TEXT, URL, AUDIO = 0, 3, 4
"""Places of a message's parts on the line."""

MARGIN = 64
"""Longest question, in characters: so far the personal part of a text is looked at together with its surroundings."""

_CHOICE = re.compile(r"[复或、](?:“(?=1 \d{1,4}”(?!）)))?1 (\d{1,4})(?!\d)")
"""A reply that is offered; with quotation marks, none that stands in brackets: that is for when there are several."""
_LINK = re.compile(r"https?://[^\s，。；、）)】”]+")


class Reading(msgspec.Struct, frozen=True):
    """One distinct message of a frame. `asks`: confirmation is wanted, with `code` if several alerts are open; `task`
    and `key`: by a button of its own, and what pressing that answers."""

    text: str
    hash: int
    asks: bool
    code: str
    url: str
    audio: str
    task: str = ""
    key: str = ""

    def choices(self) -> list[str]:
        """The codes that a question back offers; none in any other message."""
        return list(dict.fromkeys(_CHOICE.findall(self.text))) if self.asks and not self.task else []

    def link(self) -> str:
        """Where the message's link leads; "" without one."""
        if self.url:
            return self.url
        found = _LINK.search(self.text)
        return found.group() if found else ""


def read(text: str, asks: re.Pattern[str], url: str = "") -> Reading:
    """One message that came alone."""
    found = asks.search(text)
    return Reading(text, crc32(text.encode()), found is not None, _code(found), url, "")


def read_all(frame: Submit, asks: re.Pattern[str]) -> list[Reading]:
    """The frame's distinct messages. What they have in common is looked at once."""
    heads, tails = frame.heads, frame.tails
    if not heads:
        return [Reading("", 0, asks=False, code="", url="", audio="") for _ in frame.messages]
    head, tail = heads[TEXT], tails[TEXT]
    common = asks.search(head) or asks.search(tail)
    before, after = head[-MARGIN:], tail[:MARGIN]
    head_mark = crc32(head.encode())
    tail_bytes = tail.encode()
    readings = []
    for parts in frame.messages:
        own = parts[TEXT]
        found = asks.search(before + own + after) or common
        whole = pour(heads, tails, parts)
        readings.append(
            Reading(
                text=whole[TEXT],
                hash=crc32(tail_bytes, crc32(own.encode(), head_mark)),
                asks=found is not None,
                code=_code(found),
                url=whole[URL] if len(whole) > URL else "",
                audio=whole[AUDIO] if len(whole) > AUDIO else "",
            )
        )
    return readings


def _code(found: re.Match[str] | None) -> str:
    return (found.groupdict().get("code") or "") if found else ""
