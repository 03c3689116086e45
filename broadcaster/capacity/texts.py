"""How many short messages one text becomes, with the place and the link of each recipient filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from templates.segments import Alphabet, segment
from templates.skeleton import Skeleton


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForecast:
    """The text message to households: its longest form has `units` (septets or UTF-16 code units) of `alphabet`; it
    takes `parts_least` to `parts_most` parts, as long as the place's name is."""

    language: str
    alphabet: Alphabet
    units: int
    parts_least: int
    parts_most: int


def parts_by_place(skeleton: Skeleton, places: Iterable[str], link: str) -> dict[str, int]:
    """The parts of the message for each place (by name)."""
    return {place: segment(skeleton.fill(place=place, link=link).text).parts for place in dict.fromkeys(places)}


def text_forecast(skeleton: Skeleton, parts: Mapping[str, int], link: str) -> TextForecast:
    """What is told of the message that has these `parts` by place."""
    longest = max((segment(skeleton.fill(place=place, link=link).text) for place in parts), key=lambda cut: cut.units)
    return TextForecast(
        language=skeleton.language,
        alphabet=longest.alphabet,
        units=longest.units,
        parts_least=min(parts.values()),
        parts_most=max(parts.values()),
    )


def on_average(parts: Mapping[str, int], households: Iterable[tuple[str, int]]) -> float:
    """Parts of a message, over all (place, households); 1 where there are none."""
    counted = [(parts.get(place, 1) * count, count) for place, count in households]
    everybody = sum(count for _, count in counted)
    return sum(all_parts for all_parts, _ in counted) / everybody if everybody else 1.0


def of_words(words: str) -> TextForecast:
    """The same of a text that is complete as it stands."""
    cut = segment(words)
    return TextForecast(
        language="", alphabet=cut.alphabet, units=cut.units, parts_least=cut.parts, parts_most=cut.parts
    )
