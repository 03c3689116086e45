"""The filters of the house's templates."""

from __future__ import annotations

import re
from collections.abc import Callable

_ENDS = "。！？!?.…；;"


def sentence(text: str) -> str:
    """`text` closed with a full stop, of its own script, unless it is closed already; nothing stays nothing."""
    if not text or text.endswith(tuple(_ENDS)):
        return text
    return text + ("。" if any(character >= "\u2e80" for character in text) else ".")


_PRESSING = re.compile(
    r"\s*请|[^。！？!?；;]*?(：请|立即|马上|立刻|即刻)|[^.!?;]*?\b(now|immediately|at once)\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*\d+[.、．]\s*")


def pressing(text: str) -> bool:
    """Whether the first sentence of `text`, or of the first point of its list, is an urgent request by itself: in
    front of it no "请立即：" and no "Act now:" is wanted."""
    number = _NUMBER.match(text)
    return _PRESSING.match(text, number.end() if number else 0) is not None


FILTERS: dict[str, Callable[..., object]] = {"sentence": sentence, "pressing": pressing}
