"""Why a message is refused or accepted with a warning: one finding, with its topic and its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from broadcaster.phrase import ours, phrase


class Weight(StrEnum):
    """An error refuses the message; a warning lets it in and says what was odd."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Reason:
    """`topic` is one word for machines (schema, semantic, geometry, signature, feed…); `line` is 0 where unknown."""

    weight: Weight
    topic: str
    line: int
    text: str

    @property
    def sentence(self) -> str:
        """As it is told, in the language of whoever reads it."""
        text = ours(self.text)
        if not self.line:
            return phrase("%(topic)s：%(text)s", topic=self.topic, text=text)
        return phrase("%(topic)s：第 %(line)s 行：%(text)s", topic=self.topic, line=self.line, text=text)


def error(topic: str, line: int, text: str) -> Reason:
    """A finding that refuses."""
    return Reason(Weight.ERROR, topic, line, text)


def warning(topic: str, line: int, text: str) -> Reason:
    """A finding that is only told."""
    return Reason(Weight.WARNING, topic, line, text)


TOLD_MAX = 50
"""Sentences shown of one message: what is wrong in a thousand places is wrong in the first fifty."""


def told(reasons: Iterable[Reason], weight: Weight) -> list[str]:
    """The reasons of one weight as sentences, with a count of those left off."""
    sentences = [reason.sentence for reason in reasons if reason.weight is weight]
    if len(sentences) <= TOLD_MAX:
        return sentences
    return [*sentences[:TOLD_MAX], phrase("……另有 %(more)s 处", more=len(sentences) - TOLD_MAX)]
