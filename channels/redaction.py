"""Other people's words for the conversation log."""

from __future__ import annotations

import re

LONGEST = 200
_PERSONAL = re.compile(r"<[^>]*>|[^\s<>@]+@[^\s<>@]+|\d{7,}")


def redacted(text: str) -> str:
    """A peer's words without addresses and long numbers, in one line of at most 200 characters."""
    return _PERSONAL.sub("***", " ".join(text.split()))[:LONGEST]
