"""Why a message was worth what it was and became what it became: kept so that each reader can be told in their own
language."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from broadcaster.phrase import packed, unpacked

LONGEST = 2_000
"""Characters of one sentence."""

MOST = 100
"""Sentences of one message."""


def kept(note: str, reasons: Sequence[str] | None = None) -> str:
    """As the ledger has them; without `reasons` only the note is said anew."""
    said: dict[str, object] = {"note": _bounded(note)}
    if reasons is not None:
        said["reasons"] = [_bounded(one) for one in reasons[:MOST]]
    return msgspec.json.encode(said).decode()


def read(words: str | None, note: str, reasons: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The note and the reasons; as the plain columns have them where a message was judged before they were kept."""
    said = msgspec.json.decode(words) if words is not None else {}
    told = said.get("reasons")
    return unpacked(said.get("note", note)), tuple(map(unpacked, told if told is not None else reasons))


def _bounded(text: str) -> object:
    return packed(text) if len(text) <= LONGEST else packed(str(text)[:LONGEST])
