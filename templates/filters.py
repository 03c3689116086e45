"""The filters of the house's templates."""

from __future__ import annotations

from collections.abc import Callable

_ENDS = "。！？!?.…；;"


def sentence(text: str) -> str:
    """`text` closed with a full stop, of its own script, unless it is closed already; nothing stays nothing."""
    if not text or text.endswith(tuple(_ENDS)):
        return text
    return text + ("。" if any(character >= "\u2e80" for character in text) else ".")


FILTERS: dict[str, Callable[..., str]] = {"sentence": sentence}
