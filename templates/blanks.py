"""What stays open in a rendered text until a recipient is known, and how it is filled in fast.

A blank is one private-use character that no text of the alert contains; the rendered text is cut at the blanks once,
so nothing that an officer writes can become a blank and nothing that is filled in is looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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
                "预警的文字用尽了所有私用区字符。",
                remedy="请改用普通文字。",
            ) from None

    @property
    def all(self) -> str:
        return f"{self.place}{self.link}{self.unit}"


class _Compiled:
    """Room for what is worked out from a `Pieces` and never stored with it."""

    __slots__ = ("_pick",)

    _pick: Callable[[tuple[str, str, str]], object] | None


@dataclass(frozen=True, slots=True)
class Pieces(_Compiled):
    """A text cut at its blanks; plain data, so that it can be kept as JSON with the alert.

    `format` is the text with %s for each blank (and %% for a percent sign, if there are blanks at all); `order` says
    which value each blank takes: 0 the place, 1 the link, 2 the unit.
    """

    format: str
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        # an itemgetter of one index gives the item itself, which "%" takes as well
        object.__setattr__(self, "_pick", itemgetter(*self.order) if self.order else None)

    @classmethod
    def cut(cls, text: str, blanks: Blanks) -> Pieces:
        """`text` cut wherever one of `blanks` stands."""
        literal, *rest = re.split(f"([{blanks.all}])", text)
        if not rest:
            return cls(text)
        order = tuple(blanks.all.index(mark) for mark in rest[::2])
        return cls("%s".join(piece.replace("%", "%%") for piece in (literal, *rest[1::2])), order)

    def fill(self, values: tuple[str, str, str]) -> str:
        """The text with `values`, (place, link, unit), in its blanks."""
        return self.format if self._pick is None else self.format % self._pick(values)
