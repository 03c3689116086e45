"""Tags of households: what makes a home more endangered or slower to leave, under its field names.

A tag is any short word, so that a county can keep its own (渔船, 民宿…). The ones named here also count towards the
risk, by which households are ordered: the lower, the earlier they are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

RISK_UNKNOWN = 100
MAX_TAGS = 16

ALLOWED = "标签为不超过 24 个汉字、字母、数字的词，用、或；分隔，如 独居老人、低洼、残疾"

_WORD = re.compile(r"[\w\-]{1,24}")
_SEPARATORS = re.compile(r"[,;/|\s、，；／]+")


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A tag that counts: `points` off the risk of 100, `names` as rosters write it (the first is shown)."""

    tag: str
    points: int
    names: tuple[str, ...]


VULNERABILITIES = (
    Vulnerability("lives_alone", 40, ("独居老人", "独居", "空巢老人", "孤寡老人")),
    Vulnerability("bedridden", 50, ("卧床", "失能", "失能老人")),
    Vulnerability("disabled", 40, ("残疾", "残疾人", "重度残疾")),
    Vulnerability("dilapidated", 40, ("危房", "危旧房")),
    Vulnerability("low_lying", 30, ("低洼", "低洼地", "低洼易涝")),
    Vulnerability("landslide", 40, ("地质灾害点", "地灾点", "地质灾害隐患点", "山体滑坡隐患")),
    Vulnerability("riverside", 25, ("沿河", "临河", "沿江")),
    Vulnerability("seaside", 25, ("沿海", "海堤外")),
    Vulnerability("pregnant", 25, ("孕妇", "孕产妇")),
    Vulnerability("infant", 20, ("婴幼儿", "婴儿")),
    Vulnerability("elderly", 15, ("老人", "高龄", "高龄老人")),
    Vulnerability("left_behind_child", 25, ("留守儿童",)),
    Vulnerability("migrant", 10, ("外来人员", "流动人口", "暂住")),
)

_BY_NAME = {name: rule.tag for rule in VULNERABILITIES for name in (rule.tag, *rule.names)}
_POINTS = {rule.tag: rule.points for rule in VULNERABILITIES}
_SHOWN = {rule.tag: rule.names[0] for rule in VULNERABILITIES}


def parse(cell: str) -> tuple[str, ...]:
    """The tags written in one cell, sorted, each once; ValueError names the first word that cannot be a tag."""
    words = [word for word in _SEPARATORS.split(cell) if word]
    for word in words:
        if not _WORD.fullmatch(word):
            raise ValueError(word)
    if len(words) > MAX_TAGS:
        raise ValueError(f"{len(words)} 个")
    return tuple(sorted({_BY_NAME.get(word.lower(), word) for word in words}))


def risk(tags: Iterable[str]) -> int:
    """0 (most vulnerable) to 100 (nothing known)."""
    return max(0, RISK_UNKNOWN - sum(_POINTS.get(tag, 0) for tag in tags))


def shown(tag: str) -> str:
    """The Chinese name of a tag; a county's own tag is its own name."""
    return _SHOWN.get(tag, tag)
