"""How a text is cut into short messages: alphabet, parts, lengths (3GPP TS 23.038 §6.2 and TS 23.040 §9.2.3.24.1).

A text of the GSM 7-bit alphabet has 160 septets alone and 153 in each part of a concatenated message; any other text
goes as UCS-2 with 70 and 67 UTF-16 code units (the six octets that are missing carry the concatenation header).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")  # sent as escape + character: two septets

CONCATENATED_MAX = 255  # the header counts parts in one octet


class Alphabet(StrEnum):
    """The alphabet that a text needs on the air."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


SINGLE = {Alphabet.GSM7: 160, Alphabet.UCS2: 70}
PART = {Alphabet.GSM7: 153, Alphabet.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Segmentation:
    """`units` are septets or UTF-16 code units, `parts` the messages that are sent and paid for (0 for no text)."""

    alphabet: Alphabet
    units: int
    parts: int


def alphabet_of(text: str) -> Alphabet:
    """The smallest alphabet that holds every character of `text`."""
    return Alphabet.GSM7 if GSM7_BASIC.issuperset(set(text) - GSM7_EXTENDED) else Alphabet.UCS2


def segment(text: str) -> Segmentation:
    """How `text` goes out; a character of two units (emoji, rare hanzi, `€`) is never cut in two."""
    alphabet = alphabet_of(text)
    width = _WIDTH[alphabet]
    units = sum(map(width, text))
    if units <= SINGLE[alphabet]:
        return Segmentation(alphabet, units, 1 if text else 0)
    return Segmentation(alphabet, units, len(_cut(text, PART[alphabet], width)))


def split(text: str) -> list[str]:
    """The parts of `text` in order; joined they are `text` again."""
    alphabet = alphabet_of(text)
    width = _WIDTH[alphabet]
    if sum(map(width, text)) <= SINGLE[alphabet]:
        return [text] if text else []
    return _cut(text, PART[alphabet], width)


def _cut(text: str, room: int, width: Callable[[str], int]) -> list[str]:
    parts: list[str] = []
    start = used = 0
    for index, character in enumerate(text):
        units = width(character)
        if used + units > room:
            parts.append(text[start:index])
            start, used = index, 0
        used += units
    parts.append(text[start:])
    return parts


def _septets(character: str) -> int:
    return 2 if character in GSM7_EXTENDED else 1


def _code_units(character: str) -> int:
    return 2 if character > "\uffff" else 1


_WIDTH: dict[Alphabet, Callable[[str], int]] = {Alphabet.GSM7: _septets, Alphabet.UCS2: _code_units}
