"""Whether the text of a template file may be used: its syntax, its placeholders, and nothing that may run for long."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, fields

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from broadcaster.phrase import joined, phrase
from broadcaster.ports import Medium
from templates.facts import Facts
from templates.filters import FILTERS
from templates.library import WORDING
from templates.skeleton import Purpose

PLACEHOLDERS = tuple(field.name for field in fields(Facts))
"""What a template may speak of."""

LONGEST = 20_000
"""Characters of a template file."""

_KNOWN = {*PLACEHOLDERS, "layout", "hazard", "self", "super"}
_ENDLESS = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Import, nodes.FromImport, nodes.Pow, nodes.Mul)
_NAME = re.compile(
    rf"([a-z][a-z_]{{0,39}})/({WORDING}|(?:{'|'.join(Medium)})\.(?:{'|'.join(Purpose)}))\.(zh-CN|en)\.j2"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """A template file's name in its parts. `page` is wording, or medium.purpose."""

    folder: str
    page: str
    language: str

    def __str__(self) -> str:
        return f"{self.folder}/{self.page}.{self.language}.j2"

    @classmethod
    def parse(cls, text: str) -> FileName | None:
        """The parts; None where no message would ever look for a file of that name."""
        match = _NAME.fullmatch(text)
        if match is None or match[2] == f"{Medium.LOUDSPEAKER}.{Purpose.UNIT}":
            return None
        return cls(*match.groups())


def faults(text: str) -> list[str]:
    """What is wrong with the text of a template file, in Chinese, with the line."""
    if len(text) > LONGEST:
        return [phrase("太长：%(length)s 字，最多 %(most)s 字。", length=len(text), most=LONGEST)]
    environment = ImmutableSandboxedEnvironment()
    environment.filters.update(FILTERS)
    try:
        tree = environment.parse(text)
        undeclared = meta.find_undeclared_variables(tree)  # compiles it, and so finds unknown filters and tests
    except TemplateSyntaxError as error:
        why = (error.message or "").rstrip(".")
        return [phrase("第 %(line)s 行语法不对：%(why)s。", line=error.lineno, why=why)]
    found = [
        phrase("第 %(line)s 行：这里不能用循环、宏、导入和乘方。", line=node.lineno) for node in tree.find_all(_ENDLESS)
    ]
    found += [_unknown(node) for node in tree.find_all(nodes.Name) if node.name in undeclared - _KNOWN]
    return found


def _unknown(node: nodes.Name) -> str:
    near = difflib.get_close_matches(node.name, PLACEHOLDERS, n=1)
    if near:
        return phrase(
            "第 %(line)s 行：没有变量 %(name)s，是不是 %(near)s？", line=node.lineno, name=node.name, near=near[0]
        )
    known = joined("、", PLACEHOLDERS)
    return phrase(
        "第 %(line)s 行：没有变量 %(name)s，可用的有：%(known)s。", line=node.lineno, name=node.name, known=known
    )
