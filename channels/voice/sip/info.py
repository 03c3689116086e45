"""A key that comes in signalling instead of sound: SIP INFO with application/dtmf-relay or application/dtmf."""

from __future__ import annotations

import re

from channels.voice.sip.media.rtp import KEYS
from channels.voice.sip.message import Request

_SIGNAL = re.compile(r"(?im)^\s*signal\s*=\s*(1[0-5]|[0-9A-D*#])\s*$")
_ALONE = re.compile(r"\s*(1[0-5]|[0-9A-Da-d*#])\s*\Z")
LONGEST = 1024


def key_of(request: Request) -> str:
    """The key, "" where none was pressed. 10 and 11 stand for * and #, as RFC 4733 numbers them."""
    kind = request.first("content-type").partition(";")[0].strip().lower()
    text = request.body[:LONGEST].decode("ascii", "replace")
    found = _SIGNAL.search(text) if kind == "application/dtmf-relay" else None
    if kind == "application/dtmf":
        found = _ALONE.match(text) or _SIGNAL.search(text)
    if found is None:
        return ""
    written = found[1].upper()
    return KEYS[int(written)] if written.isdecimal() else written
