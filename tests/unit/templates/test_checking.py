"""A template's text is looked at before it is used: syntax, placeholders, nothing endless; the built-in ones pass."""

from __future__ import annotations

import pytest

from templates.checking import FileName, faults
from templates.library import BUILT_IN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ plce }}", "第 1 行：没有变量 plce，是不是 place？"),
        ("\n\n{{ zzz }}", "第 3 行：没有变量 zzz，可用的有："),
        ("{% if %}", "语法不对"),
        ("{{ place|shout }}", "No filter named"),
        ("{% for one in place %}{{ one }}{% endfor %}", "循环"),
        ("{{ place * 1000000 }}", "乘方"),
        ("{% import 'x' as y %}", "导入"),
        ("x" * 20_001, "太长"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, said: str) -> None:
    assert said in faults(text)[0]


def test_every_file_that_comes_with_the_house_passes() -> None:
    names = [name for name in BUILT_IN.names if not name.startswith("house/")]
    assert {name: faults(BUILT_IN.source(name)) for name in names if faults(BUILT_IN.source(name))} == {}
    assert [name for name in names if FileName.parse(name) is None] == []


@pytest.mark.parametrize(
    "name", ["wording.zh-CN.j2", "../x/wording.en.j2", "base/sms.en.j2", "base/loudspeaker.unit.en.j2", "a/b.c.en.j2"]
)
def test_other_names_are_no_template_files(name: str) -> None:
    assert FileName.parse(name) is None


def test_what_an_office_writes_goes_before_all_files_and_can_stand_on_them() -> None:
    text = '{% extends "house/typhoon/wording.zh-CN.j2" %}{% block aid %}x{% endblock %}'
    library = BUILT_IN.overlaid({"typhoon/wording.zh-CN.j2": text, "new_hazard/wording.en.j2": "{% extends layout %}"})
    assert library.source("typhoon/wording.zh-CN.j2") == text
    assert "new_hazard/wording.en.j2" in library.names
    assert library.check() == []
    assert BUILT_IN.source("nowhere/wording.en.j2") == ""
