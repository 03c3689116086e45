"""Texts of documents in the reader's language: the same catalogue and words as the pages'."""

from __future__ import annotations

from datetime import datetime

from broadcaster.capacity.words import duration
from broadcaster.catalogue import catalogue as texts_of
from broadcaster.clock import BEIJING
from broadcaster.web.language import catalogue
from broadcaster.web.pages.words import WORDS


class Phrases:
    """`language`: zh or en."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue(language)

    def say(self, text: str, **values: object) -> str:
        """A text that is written in Chinese, in the reader's language, with values put in."""
        found = self._texts.gettext(text)
        return found % values if values else found

    def word(self, code: str, of: str) -> str:
        """The word for a code."""
        return self._texts.gettext(WORDS[of].get(code, code))

    def duration(self, seconds: float | None) -> str:
        """How long; a dash for what has not happened; tenths of a second below ten."""
        if seconds is None:
            return "–"
        if seconds < 10:
            return self.say("%(n)s 秒", n=f"{seconds:.1f}")
        return duration(round(seconds), texts_of("broadcaster.capacity", self.language).gettext)

    @staticmethod
    def time(at: datetime | None) -> str:
        """Beijing's, to the second."""
        return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if at else ""

    @staticmethod
    def clock(at: datetime) -> str:
        """Beijing's, without the date's year."""
        return at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S")
