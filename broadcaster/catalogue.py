"""Texts in English, from gettext catalogues: what is written in the code and the templates is Simplified Chinese.

The `.po` files are read when they are first needed: there is no compiled file that could be older than they are. A text
that means two things has a context (`msgctxt`) where it means the other.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Final

from babel.messages.pofile import read_po

CHINESE: Final = "zh"
ENGLISH: Final = "en"
_CONTEXT = "\x04"  # between a context and its text, as in gettext's own files


class Catalogue(NullTranslations):
    """Translations read from a `.po` file; what is missing stays Chinese."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        super().__init__()
        self.language = language
        self._texts = texts

    @property
    def templates(self) -> tuple[str, ...]:
        """The texts with a place for values (`%(name)s`), as they are in Chinese."""
        return tuple(text for text in self._texts if "%(" in text and _CONTEXT not in text)

    def gettext(self, message: str) -> str:
        return self._texts.get(message) or message

    def pgettext(self, context: str, message: str) -> str:
        return self._texts.get(f"{context}{_CONTEXT}{message}") or self.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)


@cache
def catalogue(package: str, language: str) -> Catalogue:
    """The texts of `language` in `package`/locale/…/*.po, one file a subject; Chinese needs none."""
    texts: dict[str, str] = {}
    if language != CHINESE:
        folder = files(package).joinpath("locale", language, "LC_MESSAGES")
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            with path.open("rb") as file:
                texts |= {
                    _key(message.context, str(message.id)): str(message.string)
                    for message in read_po(file)
                    if message.id
                }
    return Catalogue(language, texts)


def _key(context: str | None, text: str) -> str:
    return f"{context}{_CONTEXT}{text}" if context else text
