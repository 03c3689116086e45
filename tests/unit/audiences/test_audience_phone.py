"""Phone numbers as people write them become the one form that is stored, or say why they cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences import phone


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086-13800138000",
        "8613800138000",
        "１３８００１３８０００",
        "（＋８６）13800138000",
    ],
)
def test_every_way_to_write_a_mobile_is_the_same_eleven_digits(written: str) -> None:
    assert phone.normalise(written) == "13800138000"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0574-88123456", "057488123456"),
        ("(0574) 8812 3456", "057488123456"),
        ("+86 574 88123456", "057488123456"),
        ("010-62345678", "01062345678"),
        ("0591 7123456", "05917123456"),
    ],
)
def test_a_landline_keeps_its_area_code_and_cannot_get_texts(written: str, stored: str) -> None:
    assert phone.normalise(written) == stored
    assert not phone.is_mobile(stored)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("88123456", "区号"),
        ("1380013800", "11 位"),
        ("12800138000", "3–9"),
        ("138001380001", "11 位"),
        ("1.38E+10", "科学计数法"),
        ("1380013800x", "数字以外"),
        ("4008001234", "服务号码"),
        ("", "数字以外"),
        ("٠١٢٣٤٥٦٧٨٩٠", "数字以外"),
    ],
)
def test_a_number_that_cannot_be_used_says_why(written: str, reason: str) -> None:
    with pytest.raises(phone.PhoneError, match=reason):
        phone.normalise(written)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.data())
def test_blanks_dashes_and_prefixes_never_change_the_number(number: str, data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(["", "+86", "0086", "+86 ", "86"]))
    noise = data.draw(st.lists(st.sampled_from(["", " ", "-", "\u3000", "\u2013"]), min_size=11, max_size=11))
    written = prefix + "".join(digit + gap for digit, gap in zip(number, noise, strict=True))
    assert phone.normalise(written) == number


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_reason(written: str) -> None:
    try:
        stored = phone.normalise(written)
    except phone.PhoneError:
        return
    assert phone.normalise(stored) == stored
    assert stored.isascii()


def test_several_numbers_in_a_cell_are_told_apart_but_a_spaced_number_stays_one() -> None:
    assert phone.split("13800138000、0574-88123456；139 0013 9000") == ["13800138000", "0574-88123456", "139 0013 9000"]
    assert phone.split("13800138000 13900139000") == ["13800138000", "13900139000"]
    assert phone.split(" / ") == []


def test_a_report_never_shows_the_whole_number() -> None:
    assert phone.mask("13800138000") == "138****00"
    assert phone.mask("12345") == "*****"
