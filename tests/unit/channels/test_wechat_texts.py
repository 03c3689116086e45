"""What of a text is shown where it is too long, and what is left out where others read along."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.ports import DeliveryKey, Message
from channels.wechat.cutting import cut, cut_octets, without_link
from channels.wechat.official.template import moment, unfilled, values
from channels.wechat.wecom.message import card

END = datetime(2026, 11, 24, 4, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
LINK = "https://warn.example.org/r/Ab3dE"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"请转移。\n详情：{LINK}", "请转移。"),
        (f"请转移。详情：{LINK}", "请转移。"),
        (f"雨量 3.5 毫米；详情见 {LINK} 。请转移。", "雨量 3.5 毫米；\n。请转移。"),
        (f"Move now. Details: {LINK}", "Move now."),
        (f"{LINK}\n请转移。{LINK}", "请转移。"),
        ("请转移。", "请转移。"),
    ],
)
def test_the_sentence_with_the_link_is_left_out(text: str, left: str) -> None:
    assert without_link(text, LINK) == left
    assert without_link(text, "") == text


@given(st.text(), st.integers(min_value=60, max_value=200))
def test_a_text_is_cut_at_a_character_and_keeps_its_link(text: str, longest: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    shown = cut_octets(f"{text}{LINK}", longest, keep=LINK)
    assert len(shown.encode()) <= longest
    assert shown.endswith(LINK)
    assert len(cut(text, longest)) <= longest


def test_fields_are_filled_and_cut_by_their_kind() -> None:
    message = Message("全文", subject="题", fields={"keyword1": "一" * 30, "keyword2": "甲"})
    fields = {"thing12": "keyword1", "phrase3": "keyword1", "time4": "keyword1", "thing5": "text", "thing6": "keyword9"}
    assert values(message, fields, END, NOW) == {
        "thing12": "一" * 19 + "…",
        "phrase3": "一" * 4 + "…",
        "time4": "2026年11月23日 21:05",
        "thing5": "全文",
        "thing6": "—",
    }
    assert values(message, {}, END, NOW) == message.fields


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("11月23日21时30分发布", "2026年11月23日 21:30"),
        ("8月9日3时更新", "2026年8月9日 03:00"),
        ("21:30 on 23 Nov", "21:30"),
        ("昨夜", ""),
    ],
)
def test_a_field_for_times_gets_one_as_the_platform_wants_it(written: str, shown: str) -> None:
    assert moment(written, END) == shown
    assert moment("12月31日23时50分发布", datetime(2026, 12, 31, 18, tzinfo=UTC)) == "2026年12月31日 23:50"


def test_a_templates_fields_without_content_are_found() -> None:
    content = "{{first.DATA}}\n{{ thing1.DATA }}：{{keyword2.DATA}}\n{{first.DATA}}"
    assert unfilled(content, {}, ("first", "keyword2")) == ["thing1"]
    assert unfilled(content, {"thing1": "keyword1"}, ()) == ["first", "keyword2"]


def test_a_card_fits_the_platforms_lengths() -> None:
    fields = {"first": "长" * 100, "keyword4": "长" * 60, "keyword5": "长" * 60, "remark": "长" * 500}
    shown = card(Message("文", fields=fields, answer="1"), DeliveryKey(1, 2, 3))["template_card"]
    assert len(shown["main_title"]["title"]) == 36
    assert len(shown["main_title"]["desc"]) == 44
    assert len(shown["sub_title_text"]) == 160
    assert "card_action" not in shown
    english = card(Message("Move now.", answer="1"), DeliveryKey(1, 2, 3))["template_card"]
    assert english["button_list"][0]["text"] == "Received"
