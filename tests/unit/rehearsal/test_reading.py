import re
from datetime import UTC, datetime
from zlib import crc32

import msgspec
import pytest

from broadcaster.ports import Medium
from broadcaster.rehearsal.reading import Reading, read, read_all
from broadcaster.rehearsal.script import ASKS
from broadcaster.responses.clarify import message, question
from broadcaster.responses.senders import KnownAlert
from channels.line.mould import cast
from channels.line.wire import Submit

PATTERN = re.compile(ASKS)

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


def readings(*messages: list[str]) -> list[Reading]:
    return read_all(Submit(1, *cast(messages), []), PATTERN)


@pytest.mark.parametrize(
    ("text", "asks", "code"),
    [
        ("请立即转移。收到请回复“1”（多条时回复“1 27”），需要支援请回复“求助”。", True, "27"),
        ("请立即转移。收到请回复“1”，需要支援请回复“求助”。", True, ""),
        ("Move now. Reply 1 to confirm (1 27 if you have several), HELP if you need help.", True, "27"),
        ("收到请按一，需要帮助请按九。", True, ""),
        ("请立即转移。如需帮助请回复“求助”或点开 https://example.org/r/a。", False, ""),
        ("立即落实，收到请回复1", True, ""),
        ("查询话费请回复“10086”", False, ""),
        ("拨打110、119。", False, ""),
        ("", False, ""),
    ],
)
def test_a_reader_sees_whether_and_how_to_confirm(text: str, asks: bool, code: str) -> None:
    (reading,) = readings([text])
    assert (reading.asks, reading.code) == (asks, code)


def test_a_question_back_offers_the_codes_to_answer_with() -> None:
    asked = [KnownAlert(number, True, f"2{number}", f"第{number}号动员令", True, NOW, False) for number in (7, 8)]
    (reading,) = readings([question(asked)])
    assert reading.choices() == ["27", "28"]


@pytest.mark.parametrize("numbers", [(7, 8), (7, 8, 9)])
def test_a_question_back_on_a_wechat_card_is_answered_from_its_keywords_alone(numbers: tuple[int, ...]) -> None:
    asked = [KnownAlert(number, True, f"2{number}", f"第{number}号动员令", True, NOW, False) for number in numbers]
    shown = message(Medium.WECHAT, asked).fields["keyword5"]
    assert len(shown) <= 20
    assert read(shown, PATTERN).choices() == [f"2{number}" for number in numbers]


def test_a_card_with_a_button_offers_nothing_else() -> None:
    text = "请回复“1 27”或“1 28”"
    assert msgspec.structs.replace(read(text, PATTERN), task="7-12-1", key="1").choices() == []


def test_an_alert_offers_nothing_to_choose_from() -> None:
    (reading,) = readings(["请立即转移。收到请回复“1”（多条时回复“1 27”），需要支援请回复“求助”。"])
    assert reading.choices() == []


def test_a_question_is_found_wherever_the_personal_part_cuts_it() -> None:
    text = "收到请回复“1”（多条时回复“1 27”）。"
    for cut in range(len(text)):
        for end in range(cut, len(text)):
            frame = Submit(1, [text[:cut]], [text[end:]], [[text[cut:end]]], [])
            (reading,) = read_all(frame, PATTERN)
            assert (reading.text, reading.asks, reading.code) == (text, True, "27")


def test_the_hash_is_of_the_whole_text_whatever_it_shares_with_others() -> None:
    first, second = readings(["台风：甲村，请转移"], ["台风：乙村，请转移"])
    assert first.hash == crc32("台风：甲村，请转移".encode())
    assert second.hash == crc32("台风：乙村，请转移".encode())


def test_a_link_is_the_messages_own_or_the_one_in_the_text() -> None:
    (plain,) = readings(["点开 https://daohu.example/r/abc。收到请回复“1”"])
    assert plain.link() == "https://daohu.example/r/abc"
    (card,) = readings(["请确认", "标题", "", "https://daohu.example/r/def"])
    assert card.link() == "https://daohu.example/r/def"
    (none,) = readings(["请确认"])
    assert none.link() == ""


def test_messages_without_parts_are_read_as_empty() -> None:
    assert [reading.text for reading in read_all(Submit(1, [], [], [[], []], []), PATTERN)] == ["", ""]
