"""Texts of ours that were stored, said in another language: what a driver said of its line, why a rule was refused.

A stored text has lost its template. The catalogue knows all templates, so the one it was made of is found, and its
values with it; a text of several sentences is taken sentence by sentence. What nobody recognises stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from broadcaster.catalogue import CHINESE, Catalogue

_VALUE = re.compile(r"%\((\w+)\)s")
_SENTENCES = re.compile(r"(?<=。) ")
_BREAKS = re.compile(r"(?<=。) ?|；|：")
_BETWEEN = {"；": "; ", "：": ": "}
_LEAST = 2  # Chinese characters; a template with fewer is like everything, unless its values are figures
_DEEPEST = 3  # values in values
_LONGEST = 2000  # characters of a text
_IDEOGRAPHS = re.compile(r"[\u4e00-\u9fff]")
_OURS = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def retold(text: str, texts: Catalogue, depth: int = 0) -> str:
    """The text in the language of `texts`."""
    if texts.language == CHINESE or not _OURS.search(text) or len(text) > _LONGEST:
        return text
    sentences = [_known(one, texts, depth) for one in _SENTENCES.split(text)]
    if None not in sentences:
        return " ".join(filter(None, sentences))
    if (whole := _known(text, texts, depth)) is not None:
        return whole
    for place in _BREAKS.finditer(text):
        first, rest = text[: place.start()], text[place.end() :]
        if first and rest and (known := _known(first, texts, depth)) is not None:
            between = _BETWEEN.get(place[0].strip(), " ")
            return f"{known}{between}{retold(rest, texts, depth)}"
    return text


def _known(text: str, texts: Catalogue, depth: int) -> str | None:
    """The translation of one text; None where no template fits."""
    exact = texts.gettext(text)
    if exact != text:
        return exact
    for template, pattern, longest in _patterns(texts):
        if longest in text and (match := pattern.fullmatch(text)):
            values = match.groupdict()
            if depth < _DEEPEST:
                values = {name: retold(value, texts, depth + 1) for name, value in values.items()}
            return texts.gettext(template) % values
    return None


@cache
def _patterns(texts: Catalogue) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Each template with what its texts look like and its longest piece, those that say the most first."""
    made = []
    for template in texts.templates:
        pieces = [piece.replace("%%", "%") for piece in _VALUE.split(template)[::2]]
        said = "".join(pieces)
        words = len(_IDEOGRAPHS.findall(said))
        if words:
            value = r".+?" if words >= _LEAST else r"[\d.,]+"
            made.append((template, re.compile(_pattern(template, value), re.DOTALL), max(pieces, key=len), len(said)))
    made.sort(key=lambda one: -one[3])
    return tuple((template, pattern, longest) for template, pattern, longest, _ in made)


def _pattern(template: str, value: str) -> str:
    seen: set[str] = set()
    found = ""
    for place, piece in enumerate(_VALUE.split(template)):
        if place % 2 == 0:
            found += re.escape(piece.replace("%%", "%"))
        elif piece in seen:
            found += f"(?P={piece})"
        else:
            seen.add(piece)
            found += f"(?P<{piece}>{value})"
    return found
