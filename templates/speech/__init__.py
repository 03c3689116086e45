"""Written text turned into what a voice can say: numbers, dates, times, units, telephone numbers, pauses.

The result holds nothing that a speech synthesiser has to guess: in Mandarin no digit and no symbol is left.
"""

from __future__ import annotations

import re
from functools import lru_cache

from templates.speech import english, mandarin

_ZH_SPACE = re.compile(r"(?<![A-Za-z]) | (?![A-Za-z])")
_ZH_PAUSES = re.compile(r"[，。！？\s]*[，。！？][，。！？\s]*")
_EN_PAUSES = re.compile(r"[.,!?\s]*[.,!?](?=[\s.,!?]|$)[.,!?\s]*|\s*,[,\s]*")


@lru_cache(maxsize=20_000)
def speak(text: str, language: str = "zh-CN", *, keep: str = "") -> str:
    """`text` as the voice of `language` says it; what cannot be said is left out (see `unspeakable`).

    The characters of `keep` stay where they are: they stand for what is filled in later.
    """
    if _is_english(language):
        spoken = "".join(english.read(text, keep).spoken)
        return re.sub(r"\s+", " ", _EN_PAUSES.sub(_english_pause, spoken)).strip(" ,")
    spoken = "".join(mandarin.read(text, keep).spoken)
    return (
        _ZH_PAUSES.sub(_mandarin_pause, _ZH_SPACE.sub("", " ".join(spoken.split())))
        .lstrip("，。！？")
        .removesuffix("，")
    )


def unspeakable(text: str, language: str = "zh-CN") -> tuple[str, ...]:
    """The fragments of `text` that `speak` leaves out, in order: addresses of pages, emoji, rare characters."""
    reading = english.read(text) if _is_english(language) else mandarin.read(text)
    return tuple(reading.unread)


def _is_english(language: str) -> bool:
    return language.casefold().partition("-")[0] == "en"


def _mandarin_pause(match: re.Match[str]) -> str:
    return next((mark for mark in "！？。" if mark in match[0]), "，")


def _english_pause(match: re.Match[str]) -> str:
    return next((mark for mark in "!?." if mark in match[0]), ",") + " "
