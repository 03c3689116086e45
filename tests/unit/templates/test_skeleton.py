"""Filling: exact, fast, and nothing that is written or filled in is ever taken for a blank."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape

from broadcaster.alerts.alert import Status
from broadcaster.errors import DaohuError, InputError
from broadcaster.ports import Medium
from templates.blanks import Blanks, Pieces
from templates.issuer import Issuer
from templates.renderer import render, render_all
from templates.skeleton import SPOKEN, Purpose, Skeleton
from templates.speech import speak
from tests.unit.templates.conftest import MakeAlert

PLACE, LINK, UNIT = "下应街道江六村", "https://dh.cn/r/a8Kz3", "网格长"
HOSTILE = [
    "{{7*7}}",
    "{% include 'base/wording.zh-CN.j2' %}",
    "{# gone #}",
    "{{ ''.__class__.__mro__ }}",
    "%s %d %(place)s 100%",
    "{place} {0}",
    "$place ${link}",
    "\U000f0000\U000f0001\U000f0002",
    "<script>alert(1)</script>&amp;",
    "\\1 \\g<0>",
    "place link unit",
]


@pytest.mark.parametrize("medium", [Medium.SMS, Medium.WECHAT, Medium.EMAIL])
@pytest.mark.parametrize("words", HOSTILE)
def test_what_an_officer_writes_stays_as_it_is_written(
    words: str, medium: Medium, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert(headline=words, description=words, instruction=words, event=words, sender_name=words)

    for purpose in Purpose:
        filled = render(alert, medium, "zh-CN", purpose, issuer=issuer).fill(PLACE, LINK, UNIT)
        assert words in filled.text
        assert "49" not in filled.text
        if filled.subject and medium is Medium.EMAIL:
            assert words in filled.subject
        if filled.html:
            assert str(escape(words)) in filled.html
            assert "<script>" not in filled.html
        if filled.fields:
            assert words in filled.fields["first"]
            assert filled.fields["keyword2"] == words


@pytest.mark.parametrize("medium", list(Medium))
@pytest.mark.parametrize("words", HOSTILE)
def test_what_is_filled_in_is_never_looked_at_again(
    words: str, medium: Medium, make_alert: MakeAlert, issuer: Issuer
) -> None:
    filled = render(make_alert(), medium, "zh-CN", Purpose.PUBLIC, issuer=issuer).fill(words, LINK, UNIT)

    assert (speak(words) if medium in SPOKEN else words) in filled.text
    assert "<script>" not in filled.html


WORDS = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("{}%$\n转移。1"), max_size=200
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headline=WORDS, description=WORDS, instruction=WORDS, status=st.sampled_from(Status))
def test_any_words_come_out_whole_on_every_medium(
    *, headline: str, description: str, instruction: str, status: Status, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert(status=status, headline=headline, description=description, instruction=instruction)

    for skeleton in render_all(alert, "27", issuer=issuer, languages=["zh-CN"]):
        text = skeleton.fill(PLACE, LINK, UNIT).text
        for words in (headline, description, instruction):
            if skeleton.medium in SPOKEN:
                assert text
            elif skeleton.medium is Medium.EMAIL:
                assert words.strip() in text
            else:
                assert " ".join(line.strip() for line in words.strip().split("\n") if line.strip()) in text


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="ab%s{}P水", max_size=40),
    cuts=st.lists(st.integers(0, 2), max_size=6),
    values=st.tuples(st.text(), st.text(), st.text()),
)
def test_pieces_fill_as_replacing_each_blank_would(text: str, cuts: list[int], values: tuple[str, str, str]) -> None:
    blanks = Blanks.absent_from([text])
    whole = text.join(blanks.all[cut] for cut in [0, *cuts]) + text
    expected = text.join(values[cut] for cut in [0, *cuts]) + text

    assert Pieces.cut(whole, blanks).fill(values) == expected


def test_a_text_that_leaves_no_character_for_a_blank_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        Blanks.absent_from(["".join(map(chr, range(0xF0000, 0xFFFFE)))])

    assert isinstance(refused.value, DaohuError)
    assert refused.value.remedy


def test_a_recipient_without_place_or_unit_gets_the_offices_district_and_the_general_address(
    make_alert: MakeAlert, issuer: Issuer
) -> None:
    sms = render(make_alert(), Medium.SMS, "zh-CN", Purpose.UNIT, issuer=issuer)
    english = render(make_alert(), Medium.SMS, "en", Purpose.UNIT, issuer=issuer)

    assert "鄞州区责任人：" in sms.fill().text
    assert "Officer on duty, Yinzhou District:" in english.fill().text


def test_place_and_unit_are_spoken_too(make_alert: MakeAlert, issuer: Issuer) -> None:
    call = render(make_alert(), Medium.VOICE, "zh-CN", Purpose.UNIT, issuer=issuer).fill("江六村12组", "", "第3网格长")

    assert "请江六村十二组第三网格长注意" in call.text


def test_a_skeleton_kept_as_json_is_the_same_skeleton(make_alert: MakeAlert, issuer: Issuer) -> None:
    for skeleton in render_all(make_alert(), "27", issuer=issuer):
        kept = msgspec.json.decode(msgspec.json.encode(skeleton), type=Skeleton)

        assert kept == skeleton
        assert kept.fill(PLACE, LINK, UNIT) == skeleton.fill(PLACE, LINK, UNIT)


def test_filling_keeps_up_with_a_fan_out(make_alert: MakeAlert, issuer: Issuer) -> None:
    fill = render(make_alert(), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer).fill
    links = [f"https://dh.cn/r/{number:07x}" for number in range(30_000)]

    begin = time.process_time()
    for link in links:
        fill(PLACE, link)
    spent = time.process_time() - begin

    # measured at 480,000/s and more on one core; a busy one that also counts its lines still outruns every gateway
    assert len(links) / spent > 10_000
