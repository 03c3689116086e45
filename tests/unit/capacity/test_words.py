"""Whatever the planner says, it says in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import broadcaster.capacity
from broadcaster.capacity.words import duration
from broadcaster.catalogue import CHINESE, ENGLISH, catalogue

PACKAGE = Path(broadcaster.capacity.__file__).parent
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_BLANK = re.compile(r"%\(\w+\)s")


def texts() -> Iterator[str]:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CHINESE.search(node.value):
                yield node.value


@pytest.mark.parametrize("text", sorted(set(texts())))
def test_every_text_has_english_with_the_same_blanks(text: str) -> None:
    english = catalogue("broadcaster.capacity", ENGLISH).gettext(text)
    assert english.isascii()
    assert sorted(_BLANK.findall(text)) == sorted(_BLANK.findall(english))


def test_chinese_is_what_the_code_says() -> None:
    assert catalogue("broadcaster.capacity", CHINESE).gettext("短信") == "短信"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1秒"), (0.2, "1秒"), (59.2, "1分0秒"), (61, "1分1秒"), (3599.5, "1小时0分"), (7500, "2小时5分")],
)
def test_times_are_written_for_people(seconds: float, words: str) -> None:
    assert duration(seconds, lambda text: text) == words
