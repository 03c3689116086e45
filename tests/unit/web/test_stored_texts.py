"""Texts that were stored without their templates are told in English: what is wrong with a row or a file of a roster,
what a driver said of its line, why a rule was refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.retelling import retold
from broadcaster.web.language import CHINESE, ENGLISH, catalogue

ROOT = Path(__file__).parents[3]
READING = (*sorted((ROOT / "audiences" / "importing").glob("*.py")), ROOT / "broadcaster" / "triggers" / "roster.py")
"""Where rows and files are judged."""

SAYING = {"refuse", "ignore", "CellError", "FileError", "AudienceError", "PhoneError"}
NO_SENTENCE = {"__str__"}
"""Functions that put a whole report together for a terminal."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_FIELD = re.compile(r"\{\w*\}")


def _spelled(node: ast.AST) -> str:
    """The text that a node makes, with a 7 for each value."""
    match node:
        case ast.Constant(value=str(text)):
            return _FIELD.sub("7", text)
        case ast.JoinedStr(values=pieces):
            return "".join(_spelled(piece) if isinstance(piece, ast.Constant) else "7" for piece in pieces)
    return ""


def _texts() -> Iterator[str]:
    for path in READING:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed = {
            one
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name in NO_SENTENCE
            for one in ast.walk(node)
        }
        for node in ast.walk(tree):
            if node in passed:
                continue
            named = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.JoinedStr)
            if isinstance(node, ast.Assign) and named:
                yield _spelled(node.value)
            elif isinstance(node, ast.JoinedStr):
                yield _spelled(node)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in SAYING:
                yield from (_spelled(one) for one in (*node.args, *(word.value for word in node.keywords)))


@pytest.mark.parametrize("text", sorted({text for text in _texts() if _CHINESE.search(text)}))
def test_everything_that_is_said_of_rows_and_files_has_english(text: str) -> None:
    assert not _CHINESE.search(retold(text, catalogue(ENGLISH)))


@pytest.mark.parametrize(
    ("stored", "english"),
    [
        (
            "座机缺少区号；手机号 11 位、1 开头；座机须带区号，如 0574-88123456；多个号码用、或；分隔",
            "The landline's area code is missing; a mobile number has 11 digits",
        ),
        ("最多 30 个字（这里 41 个）", "At most 30 characters (here 41)"),
        ("文件“a.xml”：新消息有 120 条，先取最新的 100 条", 'File "a.xml": '),
        (
            "文件“a.xml”没有收下，已移入 refused：文件里没有消息本身。",
            'File "a.xml" was not taken and moved to refused: ',
        ),
        ("没有这个文件：名册.csv。 请检查路径。", "There is no such file: 名册.csv. Check the path."),
        (
            "您没有在 330212102 进行该操作（alert.create）的权限。 请在自己的辖区内选择，或请管理员授予该地区的角色。",
            "You may not do this (alert.create) in 330212102. Choose within your own regions",
        ),
    ],
)
def test_a_stored_text_is_told_with_its_values(stored: str, english: str) -> None:
    told = retold(stored, catalogue(ENGLISH))
    assert told.startswith(english)
    assert not _CHINESE.search(told.replace("名册", ""))
    assert retold(stored, catalogue(CHINESE)) == stored


@pytest.mark.parametrize("text", ["", "HTTP 503", "某厂商自己的话，谁也不认识", "：", "的" * 5000])
def test_what_nobody_recognises_stays_as_it_is(text: str) -> None:
    assert retold(text, catalogue(ENGLISH)) == text


TELLING = {"UnavailableError", "Failed", "NotTold"}
"""How drivers and adapters say what is wrong with their lines: it is stored, and stands on pages of gateways, sources,
stations and subscribers."""


def _told_by_drivers() -> Iterator[str]:
    for top in ("channels", "adapters"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TELLING:
                    yield from (_spelled(one) for one in (*node.args, *(word.value for word in node.keywords)))


@pytest.mark.parametrize("text", sorted({text for text in _told_by_drivers() if _CHINESE.search(text)}))
def test_what_a_driver_says_of_its_line_has_english(text: str) -> None:
    assert not _CHINESE.search(retold(text, catalogue(ENGLISH)))
