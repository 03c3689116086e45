"""A written English warning as it is read aloud: units, telephone numbers and symbols; the voice knows the rest."""

from __future__ import annotations

import re

from templates.speech.rules import Reading, Rule, scan
from templates.speech.units import ENGLISH_UNITS

NUMBER = r"\d+(?:\.\d+)?"
UNITS = "|".join(map(re.escape, sorted(ENGLISH_UNITS, key=len, reverse=True)))
_PAUSES = dict.fromkeys("。；;.", ".") | dict.fromkeys("，、：,:()（）[]【】{}/|—–~～·•*#<>", ",")
_PAUSES |= {"\n": ".", "！": "!", "!": "!", "？": "?", "?": "?", " ": " ", "\t": " ", "\xa0": " ", "-": " "}
_PAUSES |= dict.fromkeys('“”"《》\u200b\u200d\ufeff\ufe0f', "") | dict.fromkeys("'’‘", "'")
_PAUSES |= {"&": " and ", "%": " percent ", "+": " plus "}


def read(text: str, keep: str = "") -> Reading:
    """Read a whole text; `spoken` holds Latin words, numbers, pauses and what is in `keep`."""
    return scan(text, RULES, _character, keep)


def _character(character: str, reading: Reading) -> str:
    if character in _PAUSES:
        return _PAUSES[character]
    if character in reading.keep or (character.isalnum() and character < "\u0250"):
        return character
    reading.unread.append(character)
    return character if "\u4e00" <= character <= "\u9fff" else ""  # a bilingual voice can read a Chinese name


def _unread(match: re.Match[str], reading: Reading) -> str:
    reading.unread.append(match.group())
    return ","


def _digits(match: re.Match[str], _: Reading) -> str:
    return " ".join(re.sub(r"\D", "", match.group()))


RULES: tuple[Rule, ...] = (
    Rule.of(r"(?:https?://|www\.)[^\s,;]+", _unread),
    Rule.of(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _unread),
    Rule.of(r"(?:\+86[- ]?)?(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)", _digits),
    Rule.of(r"(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)", _digits),
    Rule.of(r"(?<![\d.])(?:110|119|120|122|12345|12379)(?![\d.]*\d)(?! ?(?:m|k|c|people|house|%))", _digits),
    Rule.of(r"(?<!\d)\d{1,2}:\d{2}(?!\d)", lambda m, _: m[0]),
    Rule.of(
        rf"({NUMBER})\s?[-–~]\s?({NUMBER})\s?({UNITS})(?![A-Za-z])",
        lambda m, _: f"{m[1]} to {m[2]} {ENGLISH_UNITS[m[3]]}",
    ),
    Rule.of(rf"({NUMBER})\s?[-–~]\s?({NUMBER})(?!\d)", lambda m, _: f"{m[1]} to {m[2]}"),
    Rule.of(rf"({NUMBER})\s?({UNITS})(?![A-Za-z])", lambda m, _: f"{m[1]} {ENGLISH_UNITS[m[2]]}"),
    Rule.of(NUMBER, lambda m, _: m[0]),
    Rule.of(r"(?<![A-Za-z])(?:[B-DF-HJ-NP-TV-Z]{2,5}|SOS|UTC|EOC|USA|AM|ID)(?![A-Za-z])", lambda m, _: " ".join(m[0])),
)
