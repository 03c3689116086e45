"""Words that voices misread: spelt as they sound, character for character, by a table that the operator may lay
over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import SettingsError
from channels.speech.lexicon import BUILT_IN, Lexicon, read_lexicon

CASES = """
重庆市 → 虫庆市
长兴县 → 常星县
台州、丽水 → 胎州、离水
天台县 → 天胎县
屋顶天台 → 屋顶天台
六安市 → 路安市
第六安置点 → 第六安置点
请网格长报告 → 请网格掌报告
该网格长期积水 → 该网格长期积水
河长到岗 → 河掌到岗
河长十二公里 → 河长十二公里
尽快尽早转移 → 锦快锦早转移
海水倒灌 → 海水道灌
倒塌 → 倒塌
三幢房屋 → 三壮房屋
水位上涨 → 水位上掌
农业银行 → 农业银航
美丽的水乡 → 美丽的水乡
"""


@pytest.mark.parametrize(("written", "spelt"), [tuple(line.split(" → ")) for line in CASES.strip().splitlines()])
def test_the_built_in_table_says_how_words_sound(written: str, spelt: str) -> None:
    assert BUILT_IN.spelt(written, "zh-CN") == spelt


@given(st.text())
def test_nothing_is_lost_and_twice_is_once(text: str) -> None:
    once = BUILT_IN.spelt(text, "zh-CN")
    assert len(once) == len(text)
    words = "".join(BUILT_IN.entries)
    assert all(one == other or one in words for one, other in zip(text, once, strict=True))


@given(st.lists(st.sampled_from(sorted(BUILT_IN.entries)), max_size=5).map("，".join))
def test_what_was_spelt_stays(text: str) -> None:
    once = BUILT_IN.spelt(text, "zh-CN")
    assert BUILT_IN.spelt(once, "zh-CN") == once


@pytest.mark.parametrize("language", ["en", "yue", "zh-HK", "ug"])
def test_other_languages_are_left_alone(language: str) -> None:
    assert BUILT_IN.spelt("重庆", language) == "重庆"


def test_the_operators_table_goes_before_the_built_in_one(tmp_path: Path) -> None:
    table = tmp_path / "lexicon.txt"
    table.write_text("\ufeff# 本县\n\n大堡村 = 大铺村 ! 头\n重庆 = 重庆 # 不替换\n", encoding="utf-8")
    lexicon = read_lexicon(table, "[speech] lexicon", over=BUILT_IN)
    assert lexicon.spelt("大堡村、大堡村头、重庆、台州", "zh") == "大铺村、大堡村头、重庆、胎州"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("重庆", "第 1 行"),
        ("重庆 = chongqing", "第 1 行"),
        ("# 好\n重庆 = 虫", "第 2 行：“重庆”和“虫”字数不同"),
        ("重庆 = 虫庆\n重庆 = 崇庆", "第 2 行：“重庆”前面已经写过"),
        ("甲乙 = 丙丁\n丙丁 = 甲乙", "里又有要替换的词"),
        (" = 虫", "第 1 行"),
    ],
)
def test_a_wrong_line_is_named_at_start(tmp_path: Path, content: str, what: str) -> None:
    table = tmp_path / "lexicon.txt"
    table.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=what) as failure:
        read_lexicon(table, "[speech] lexicon")
    assert "[speech] lexicon" in failure.value.what
    assert "词 = 读法" in failure.value.remedy


def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="读不到"):
        read_lexicon(tmp_path / "none.txt", "[speech] lexicon")
    (tmp_path / "gbk.txt").write_bytes("重庆 = 虫庆".encode("gbk"))
    with pytest.raises(SettingsError, match="UTF-8"):
        read_lexicon(tmp_path / "gbk.txt", "[speech] lexicon")


def test_an_empty_table_changes_nothing() -> None:
    assert Lexicon({}).spelt("重庆", "zh") == "重庆"
