"""A text in pieces that an engine takes at once, cut where a reader would breathe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_ENDS = re.compile(r"(?<=[。！？；!?;\n])|(?<=[.])(?=\s)")
_PAUSES = re.compile(r"(?<=[，、：,:])|(?<=\s)")


def cut(text: str, most: int, measure: Callable[[str], int] = len) -> list[str]:
    """The pieces of `text` in order, each at most `most` by `measure` (characters unless told otherwise): whole
    sentences where they fit, else up to a pause, else as far as it goes. Joined they are the text."""
    pieces: list[str] = []
    for part in _parts(text, most, measure):
        if pieces and measure(pieces[-1] + part) <= most:
            pieces[-1] += part
        else:
            pieces.append(part)
    return pieces


def _parts(text: str, most: int, measure: Callable[[str], int]) -> Iterator[str]:
    for sentence in filter(None, _ENDS.split(text)):
        if measure(sentence) <= most:
            yield sentence
            continue
        for phrase in filter(None, _PAUSES.split(sentence)):
            yield from [phrase] if measure(phrase) <= most else _characters(phrase, most, measure)


def _characters(phrase: str, most: int, measure: Callable[[str], int]) -> Iterator[str]:
    piece = ""
    for character in phrase:
        if piece and measure(piece + character) > most:
            yield piece
            piece = ""
        piece += character
    yield piece
