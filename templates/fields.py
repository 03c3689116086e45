"""The named fields of a WeChat card and how much of each is shown.

Since May 2023 a service account's template message shows 20 characters of each keyword and neither the first line nor
the remark; older and enterprise cards show them all, up to 200 characters in a value. Nothing that is too long is
refused: the client cuts it. So the keywords alone must tell what, who, when, where and what to do.
"""

from __future__ import annotations

import re

FIELD_LIMITS = {
    "first": 100,
    "keyword1": 20,  # what: the warning's name and colour
    "keyword2": 20,  # who issued it
    "keyword3": 20,  # when
    "keyword4": 20,  # where
    "keyword5": 20,  # what to do
    "remark": 200,
}
"""How much of each field a card shows, measured by `width`, in the card's order."""

FIELDS = tuple(FIELD_LIMITS)
_ELLIPSIS = "…"
_RUN = re.compile(r"[A-Za-z0-9]+")
_STOP = re.compile(r"[。！？；.!?;]")


def width(text: str) -> int:
    """How many characters a client counts in `text`: a run of Latin letters and digits is one (observed, 2023)."""
    return len(_RUN.sub("x", text))


def shorten(texts: dict[str, str]) -> tuple[str, ...]:
    """Cut the remark in `texts` at a sentence's end where it is too long: the page behind the card has all of it.

    Returns the names of the fields that were cut. A closing mark (【…】 or […]) is kept.
    """
    remark, limit = texts["remark"], FIELD_LIMITS["remark"]
    if len(remark) <= limit:
        return ()
    mark = re.search(r"(?:【[^【】]{1,6}】|\[[A-Z]{1,6}\])$", remark)
    closing = mark.group() if mark else ""
    room = limit - len(closing) - len(_ELLIPSIS)
    stops = [match.end() for match in _STOP.finditer(remark, 0, room)]
    end = stops[-1] if stops and stops[-1] > room // 2 else room
    texts["remark"] = remark[:end] + _ELLIPSIS + closing
    return ("remark",)
