"""Texts brought to the length that a platform shows; what is cut off stands on the page behind the link."""

from __future__ import annotations

import re

ELLIPSIS = "…"
_END = re.compile(r"[。！？；!?;\n]|\.\s")


def cut(text: str, longest: int) -> str:
    """At most `longest` characters."""
    return text if len(text) <= longest else text[: longest - len(ELLIPSIS)] + ELLIPSIS


def cut_octets(text: str, longest: int, *, keep: str = "") -> str:
    """At most `longest` octets of UTF-8; `keep`, where the text has it, stays whole, at the end of what is left."""
    octets = text.encode()
    if len(octets) <= longest:
        return text
    end = f"{ELLIPSIS}\n{keep}" if keep and keep in text else ELLIPSIS
    room = longest - len(end.encode())
    return octets[: max(room, 0)].decode("utf-8", "ignore") + end


def without_link(text: str, link: str) -> str:
    """The text without the sentence that names `link`: what others read must not let them answer for somebody."""
    if not link or link not in text:
        return text
    before, _, after = text.partition(link)
    start = max((found.end() for found in _END.finditer(before)), default=0)
    return f"{before[:start].rstrip()}\n{without_link(after, link).lstrip()}".strip()
