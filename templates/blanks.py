"""What stays open in a rendered text until a recipient is known, and how it is filled in fast.

A blank is one private-use character that no text of the alert contains; the rendered text is cut at the blanks once,
so nothing that an officer writes can become a blank and nothing that is filled in is looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from broadcaster.errors import InputError

_PRIVATE = range(0xF0000, 0xFFFFE)  # Unicode plane 15, private use


@dataclass(frozen=True, slots=True)
class Blanks:
    """The three characters that stand for the place's name, the link and the unit's name in one rendering."""

    place: str
    link: str
    unit: str

    @classmethod
    def absent_from(cls, texts: Iterable[str]) -> Blanks:
        """Blanks that occur in none of `texts`; InputError if a text uses up the whole private plane."""
        used = {character for text in texts for character in text if character >= "\U000f0000"}
        free = (character for character in map(chr, _PRIVATE) if character not in used)
        try:
            return cls(next(free), next(free), next(free))
        except StopIteration:
            raise InputError(
                "The alert's text holds every private-use character.",
                remedy="Write the text in ordinary characters.",
            ) from None

    @property
    def all(self) -> str:
        return f"{self.place}{self.link}{self.unit}"


class Pieces:
    """A text cut at its blanks. `fill` takes the values in the order of `Blanks`: (place, link, unit)."""

    __slots__ = ("_format", "_pick", "blanks")

    def __init__(self, text: str, blanks: Blanks) -> None:
        literal, *rest = re.split(f"([{re.escape(blanks.all)}])", text)
        order = [blanks.all.index(mark) for mark in rest[::2]]
        self.blanks = frozenset(order)
        self._format = "%s".join(piece.replace("%", "%%") for piece in (literal, *rest[1::2]))
        # itemgetter of one index gives the item, which "%" takes as well; of none there is nothing to pick
        self._pick = itemgetter(*order) if order else None
        if self._pick is None:
            self._format = text

    def fill(self, values: tuple[str, str, str]) -> str:
        """The text with `values` in its blanks."""
        return self._format if self._pick is None else self._format % self._pick(values)
