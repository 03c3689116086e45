"""The question back names each alert and the reply that confirms it."""

from __future__ import annotations

from datetime import UTC, datetime

from broadcaster.responses.clarify import question
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
