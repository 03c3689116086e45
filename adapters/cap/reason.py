"""Why a message is refused or accepted with a warning: one finding, with its topic and its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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

    def __str__(self) -> str:
        place = f"第 {self.line} 行：" if self.line else ""
        return f"{self.topic}：{place}{self.text}"


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
    sentences = [str(reason) for reason in reasons if reason.weight is weight]
    if len(sentences) <= TOLD_MAX:
        return sentences
    return [*sentences[:TOLD_MAX], f"……另有 {len(sentences) - TOLD_MAX} 处"]
