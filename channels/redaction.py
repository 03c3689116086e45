"""Other people's words for the conversation log."""

from __future__ import annotations

import re

LONGEST = 200
_READ = 20_000
"""Characters that are looked at. That, and the bounds below, keep a peer that answers with a megabyte of one letter
from stopping the process: without them the effort grows with the square of the text."""

_PERSONAL = re.compile(r"<[^>]{0,200}>|[^\s<>@]{1,64}@[^\s<>@]{1,255}|\d{7,}")


def redacted(text: str) -> str:
    """A peer's words without addresses and long numbers, in one line of at most 200 characters."""
    return _PERSONAL.sub("***", " ".join(text[:_READ].split()))[:LONGEST]
