"""Sentences that are written in Chinese and can still be said in another language where somebody reads them.

A phrase is the Chinese text, so it goes wherever a text goes: into a log, a file, a terminal. (msgspec takes plain
texts only: `str(phrase)` is one.) It remembers of which template and which values it was made; the edge that knows its
reader looks the template up in a catalogue and puts the values in again. What has no values needs no phrase: the text
is its own template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, Self


class Texts(Protocol):
    """Translations into one language."""

    @property
    def language(self) -> str: ...

    def gettext(self, message: str, /) -> str: ...


class Phrase(str):
    """A template with `%(name)s` where a value goes. A value that is a phrase itself is translated too, any other text
    is put in as it is: it may be somebody's name.

    In a template with values a percent sign is written twice.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        made = super().__new__(cls, template % values if values else template)
        made.template = template
        made.values = dict(values)
        return made


class Joined(str):
    """Several texts of ours in a row; each is translated, and so is the separator."""

    __slots__ = ("parts", "separator")
    separator: str
    parts: tuple[str, ...]

    def __new__(cls, separator: str, parts: Iterable[str]) -> Self:
        listed = tuple(parts)
        made = super().__new__(cls, separator.join(listed))
        made.separator = separator
        made.parts = listed
        return made


class Bilingual(str):
    """A Chinese text that brings its English along."""

    __slots__ = ("english",)
    english: str

    def __new__(cls, chinese: str, english: str) -> Self:
        made = super().__new__(cls, chinese)
        made.english = english
        return made


def phrase(template: str, **values: object) -> str:
    """The text of `template` with its values put in."""
    return Phrase(template, values)


def ours(text: str) -> str:
    """A text of ours, to be translated where it is put into a phrase."""
    return text if isinstance(text, Phrase | Joined | Bilingual) else Phrase(text, {})


def joined(separator: str, parts: Iterable[str]) -> str:
    """The texts in a row; a single one is itself."""
    listed = tuple(parts)
    return listed[0] if len(listed) == 1 else Joined(separator, listed)


def packed(text: str) -> object:
    """The text as something that JSON can say and `unpacked` knows how to make it of again. U+0000, which no database
    keeps, is left out."""
    if isinstance(text, Phrase):
        return {
            "template": _plain(text.template),
            "values": {name: _packed(value) for name, value in text.values.items()},
        }
    if isinstance(text, Joined):
        return {"separator": _plain(text.separator), "parts": [packed(part) for part in text.parts]}
    if isinstance(text, Bilingual):
        return {"chinese": _plain(text), "english": _plain(text.english)}
    return _plain(text)


def unpacked(given: object) -> str:
    """The text that was packed; what is nothing of the kind is its own text."""
    match given:
        case {"template": str(template), "values": dict(values)}:
            return Phrase(template, {name: _unpacked(value) for name, value in values.items()})
        case {"separator": str(separator), "parts": list(parts)}:
            return Joined(separator, map(unpacked, parts))
        case {"chinese": str(chinese), "english": str(english)}:
            return Bilingual(chinese, english)
    return str(given)


def _packed(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return packed(value if isinstance(value, str) else str(value))


def _unpacked(value: object) -> object:
    return value if isinstance(value, int | float) else unpacked(value)


def _plain(text: str) -> str:
    return str(text).replace("\0", "")


def said(text: str, texts: Texts) -> str:
    """The text in the language of `texts`; what these do not know stays Chinese."""
    if isinstance(text, Phrase):
        values = {name: _value(value, texts) for name, value in text.values.items()}
        template = texts.gettext(text.template)
        return template % values if values else template
    if isinstance(text, Joined):
        return texts.gettext(text.separator).join(said(part, texts) for part in text.parts)
    if isinstance(text, Bilingual):
        return text.english if texts.language == "en" else str(text)
    return texts.gettext(text) if text else text


def _value(value: object, texts: Texts) -> object:
    return said(value, texts) if isinstance(value, Phrase | Joined | Bilingual) else value
