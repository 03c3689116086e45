"""Written apart from the reader's own vocabulary: what people call for help in, and that no doubt ever confirms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.responses.reply import Acknowledge, Help, understand

SPOKEN = (
    "1", "１", "1️⃣", "收到", "收到了", "已收到", "確認",
    "确认收到", "知道了", "明白", "已知悉", "好的", "OK", "收到谢谢",

    "已收到，正在转移", "收到，已转移35人", "收到，转移三十五人", "1 27", "127",
    "1-27", "27 1", "收到27", "27收到", "收到（27）",
)  # fmt: skip
CRIES = (
    "求助", "求救", "救命", "SOS", "S.O.S", "🆘", "help me", "需要帮助", "请求支援", "水进屋了，请帮忙",
    "收到，请救援", "还没有救援来",
    "没人救我",
    "没有人来救", "we are trapped", "房子塌了，有人被埋", "快救人",
    "老人被困", "不需要救援，但是我父亲被困",
)  # fmt: skip
UNNEEDED = (
    "不用求助", "不需要帮助", "无需救援", "没有人被困", "没人被困", "未被困",
    "no help needed", "我不需要帮助，谢谢", "收到，无人被困",
)  # fmt: skip
NEGATIONS = ("不", "没", "沒", "未", "无法", "無法", "勿", "拒绝", "❌", "不是", "没有", "否")
QUESTIONS = ("?", "？", "吗", "嗎", "呢", "什么", "怎么", "哪里", "❓", "⁉️", "谁", "為什麼", "؟")
DOUBTS = ("骗子", "诈骗", "詐騙", "假的", "谣言", "发错了", "退订", "垃圾短信")
ORNAMENTS = '　 \t\n.。,，!！~～、;；:：…—“”"【】（）*👍🙏💪✅🎉\u200b\u200d\ufeff\ufe0f'

ornament = st.text(st.sampled_from(ORNAMENTS), max_size=8)


@pytest.mark.parametrize("text", SPOKEN)
def test_an_acknowledgement_acknowledges(text: str) -> None:
    assert isinstance(understand(text), Acknowledge)


@pytest.mark.parametrize("text", CRIES)
def test_a_call_for_help_is_heard(text: str) -> None:
    assert isinstance(understand(text), Help)


@pytest.mark.parametrize("text", UNNEEDED)
def test_no_help_is_sent_to_those_who_say_that_they_need_none(text: str) -> None:
    assert not isinstance(understand(text), Help)


@given(st.sampled_from(SPOKEN), ornament, ornament)
def test_ornaments_never_change_the_meaning(text: str, before: str, after: str) -> None:
    assert understand(before + text + after) == understand(text)


@given(st.sampled_from(SPOKEN), st.sampled_from(NEGATIONS + QUESTIONS + DOUBTS), ornament, st.integers(0, 20))
def test_no_doubt_anywhere_acknowledges(text: str, doubt: str, mark: str, place: int) -> None:
    place = min(place, len(text))
    assert not isinstance(understand(text[:place] + mark + doubt + mark + text[place:]), Acknowledge)


@pytest.mark.parametrize("doubt", ["？", "不", "，骗子", "没收到"])
def test_a_doubt_behind_a_screen_of_blanks_counts(doubt: str) -> None:
    assert not isinstance(understand("收到" + " " * 1990 + doubt), Acknowledge)


@given(st.sampled_from(CRIES), st.sampled_from(SPOKEN), ornament)
def test_help_is_heard_beside_anything(cry: str, text: str, mark: str) -> None:
    assert isinstance(understand(f"{text}，{mark}{cry}"), Help)


@pytest.mark.parametrize(
    ("text", "moved"), [("收到，转移了二三〇人", 230), ("收到，转移两百零六人", 206), ("收到，转移十人", 10)]
)
def test_people_moved_are_counted_as_they_are_written(text: str, moved: int) -> None:
    assert understand(text) == Acknowledge("", moved)
