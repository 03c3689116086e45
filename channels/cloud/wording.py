"""An approved template: a text goes out by it if it is the template's own words with the variables filled in.

Nothing is mapped and nothing reworded: whoever gets the message reads the text that the office approved, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from broadcaster.errors import InputError

LONGEST = 500
"""Characters of a message, its signature included, that the providers take."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Template `code`: `words` around `names`, the variables; one word more than variables, any of them may be ""."""

    code: str
    words: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def read(cls, code: str, written: str, variable: re.Pattern[str]) -> Wording:
        """The template as the provider shows it; group 1 of `variable` is a variable's name. ValueError says what is
        wrong with it."""
        pieces = variable.split(written)
        words, names = tuple(pieces[0::2]), tuple(pieces[1::2])
        if not written.strip():
            raise ValueError("是空的")
        if len(written) > LONGEST:
            raise ValueError(f"超过 {LONGEST} 字")
        if len(set(names)) < len(names):
            raise ValueError("同一个变量出现了两次")
        return cls(code, words, names)

    def values(self, text: str, most: int) -> tuple[str, ...] | None:
        """The variables' values, 1 to `most` characters each, with which the template says `text`; None: it cannot."""
        found = self._at_first_sight(text, most)
        return found if found is not None else self._by_all_ways(text, most)

    def _at_first_sight(self, text: str, most: int) -> tuple[str, ...] | None:
        """The values where each ends at the first place where it can: nearly always there are any, and at once."""
        if not text.startswith(self.words[0]):
            return None
        begin, found = len(self.words[0]), []
        for word in self.words[1:-1]:
            end = text.find(word, begin + 1)
            if not 0 <= end - begin <= most:
                return None
            found.append(text[begin:end])
            begin = end + len(word)
        if self.names:
            end = len(text) - len(self.words[-1])
            if not 0 < end - begin <= most or not text.endswith(self.words[-1]):
                return None
            found.append(text[begin:end])
        elif begin != len(text):
            return None
        return tuple(found)

    def _by_all_ways(self, text: str, most: int) -> tuple[str, ...] | None:
        """The same by every place where a variable may end, all ways at a time: no text makes it take long."""
        if not text.startswith(self.words[0]):
            return None
        begins = {len(self.words[0])}
        ways: list[dict[int, tuple[int, int]]] = []
        for number, word in enumerate(self.words[1:], 1):
            way: dict[int, tuple[int, int]] = {}
            for begin in sorted(begins):
                for end in _ends(text, begin, most, word, last=number == len(self.names)):
                    way.setdefault(end + len(word), (begin, end))
            ways.append(way)
            begins = set(way)
        if len(text) not in begins:
            return None
        place, found = len(text), []
        for way in reversed(ways):
            begin, end = way[place]
            found.append(text[begin:end])
            place = begin
        return tuple(reversed(found))


def _ends(text: str, begin: int, most: int, word: str, *, last: bool) -> Iterator[int]:
    """Where a variable that begins at `begin` may end, so that `word` follows."""
    if last:
        end = len(text) - len(word)
        if begin < end <= begin + most and text.endswith(word):
            yield end
        return
    limit = min(begin + most, len(text))
    end = text.find(word, begin + 1, limit + len(word))
    while end >= 0:
        yield end
        end = text.find(word, end + 1, limit + len(word))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text as a template with its values."""

    wording: Wording
    values: tuple[str, ...]

    @property
    def named(self) -> Mapping[str, str]:
        """The values by the variables' names."""
        return dict(zip(self.wording.names, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class Wordings:
    """The templates of one gateway in their order, the signature that the provider puts before every message, and how
    long a variable may be."""

    sign: str
    templates: Sequence[Wording]
    most: int
    what: str = "短信"

    def fit(self, text: str) -> Fitted:
        """The first template by which `text` can go out; `InputError` when there is none, or the text is too long.

        The provider writes 【sign】 itself: where the text has it, it is left out.
        """
        body = text.replace(f"【{self.sign}】", "", 1)
        if len(body) + len(self.sign) + 2 > LONGEST:
            raise InputError(f"{self.what}共 {len(body) + len(self.sign) + 2} 字，服务商最多发 {LONGEST} 字。")
        for wording in self.templates:
            values = wording.values(body, self.most)
            if values is not None:
                return Fitted(wording, values)
        if any(wording.values(body, LONGEST) is not None for wording in self.templates):
            raise InputError(f"{self.what}中的变量超过 {self.most} 字，服务商的模板放不下。")
        raise InputError(f"{self.what}文字与网关登记的模板都不相符，服务商只发登记过的文字。")
