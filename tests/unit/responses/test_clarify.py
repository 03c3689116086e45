"""The question back names each alert and the reply that confirms it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broadcaster.ports import Medium
from broadcaster.responses.clarify import message, question
from broadcaster.responses.reply import Acknowledge, understand
from broadcaster.responses.senders import KnownAlert, contact_address

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
TYPHOON = KnownAlert(1, False, "27", "鄞州区发布台风红色预警，请立即组织危险区域人员转移", True, NOW, False)
DRILL = KnownAlert(2, True, "28", "演练", True, NOW, False)


def test_it_says_what_to_reply_and_that_is_what_we_understand() -> None:
    text = question([TYPHOON, KnownAlert(3, False, "29", "山洪预警", True, NOW, False)])

    assert text.startswith("您有2条待确认")
    assert "“1 27”" in text
    assert "山洪预警" in text
    assert understand("1 29") == Acknowledge("29")
    assert len(text) <= 140


@pytest.mark.parametrize(
    ("codes", "offer"),
    [
        (["27", "28"], "请回复“1 27”或“1 28”"),
        (["2345", "2346"], "请回复“1 2345”或“1 2346”"),
        (["27", "28", "29"], "请回复1 27、1 28、1 29"),
        (["234", "235", "236"], "请回复1 234、1 235、1 236"),
        (["27", "28", "29", "32"], "请回复1 27、1 28、1 29等"),
        (["2345", "2346", "2347"], "请回复1 2345、1 2346等"),
    ],
)
def test_a_cards_one_line_offers_whole_codes_however_many_alerts_are_open(codes: list[str], offer: str) -> None:
    asked = [KnownAlert(number, False, code, "山洪预警", True, NOW, False) for number, code in enumerate(codes)]
    shown = message(Medium.WECHAT, asked).fields["keyword5"]
    assert shown == offer
    assert len(shown) <= 20
    for code in codes:
        assert understand(f"1 {code}") == Acknowledge(code)


def test_a_drills_question_is_marked_as_every_text_of_a_drill() -> None:
    text = question([DRILL, DRILL])

    assert text.startswith("【演练】")
    assert text.endswith("【演练】")


def test_gateways_notations_of_an_address_lead_to_the_contact() -> None:
    assert contact_address("sms", "+86 138-0013-8000") == "13800138000"
    assert contact_address("voice", "8613800138000") == "13800138000"
    assert contact_address("sms", "106912345") == "106912345"
    assert contact_address("email", " li@Example.CN ") == "li@example.cn"
    assert contact_address("wechat", "oABC") == "oABC"
    assert contact_address("wechat", "wecom:ZhangSan") == "wecom:zhangsan"
