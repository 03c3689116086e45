"""A text goes out by a template if it is the template's words with the variables filled in, and never otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError
from channels.cloud.wording import LONGEST, Wording, Wordings
from channels.sms.aliyun.settings import AliyunOptions

VARIABLE = AliyunOptions.variable
few = st.text("ab。，", max_size=4)


def template(written: str, code: str = "SMS_1") -> Wording:
    return Wording.read(code, written, VARIABLE)


def test_the_values_are_what_stands_between_the_words() -> None:
    wording = template("${title}。${when}发布，涉及${place}。详情 https://warn.example.org/r/${code}")
    text = "台风红色预警。11月27日21时发布，涉及东村。详情 https://warn.example.org/r/Ab3dE"
    assert wording.values(text, 35) == ("台风红色预警", "11月27日21时", "东村", "Ab3dE")


@given(st.lists(few, min_size=1, max_size=6), st.lists(few.filter(bool), max_size=5), st.integers(1, 6))
def test_with_the_values_the_template_says_the_text_to_the_letter(
    words: list[str], values: list[str], most: int
) -> None:
    count = min(len(words) - 1, len(values))
    wording = Wording("SMS_1", tuple(words[: count + 1]), tuple(f"v{number}" for number in range(count)))
    text = words[0] + "".join(value + word for value, word in zip(values[:count], words[1 : count + 1], strict=True))
    found = wording.values(text, most)
    if all(len(value) <= most for value in values[:count]):
        assert found is not None
    if found is not None:
        assert all(1 <= len(value) <= most for value in found)
        said = wording.words[0] + "".join(v + word for v, word in zip(found, wording.words[1:], strict=True))
        assert said == text


@given(few, few, st.text("ab。，", max_size=8))
def test_what_the_template_cannot_say_does_not_go_out(first: str, last: str, text: str) -> None:
    found = Wording("SMS_1", (first, last), ("v",)).values(text, 3)
    expected = any(first + value + last == text for value in _substrings(text) if 1 <= len(value) <= 3)
    assert (found is not None) == expected


def _substrings(text: str) -> set[str]:
    return {text[begin:end] for begin in range(len(text)) for end in range(begin + 1, len(text) + 1)}


def test_several_variables_in_a_row_take_the_text_in_pieces() -> None:
    found = template("预警：${a}${b}${c}").values("预警：" + "风" * 80, 35)
    assert found is not None
    assert "".join(found) == "风" * 80
    assert template("预警：${a}${b}").values("预警：" + "风" * 80, 35) is None


def test_a_text_with_very_many_ways_to_read_it_is_judged_without_trying_them_all() -> None:
    wording = template("".join(f"${{v{number}}}" for number in range(40)) + "。")
    assert wording.values("a" * LONGEST, 35) is None
    assert wording.values("a" * (LONGEST - 1) + "。", 35) is not None


def test_the_signature_is_left_to_the_provider_and_the_first_template_that_fits_is_taken() -> None:
    wordings = Wordings("某县应急", (template("演习：${x}", "SMS_1"), template("${x}。", "SMS_2")), 35)
    fitted = wordings.fit("【某县应急】台风红色预警。")
    assert (fitted.wording.code, fitted.named) == ("SMS_2", {"x": "台风红色预警"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("台风红色预警！", "不相符"),
        ("风" * 36 + "。", "超过 35 字"),
        ("风" * LONGEST + "。", "500 字"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Wordings("某县应急", (template("${x}。"),), 35).fit(text)
