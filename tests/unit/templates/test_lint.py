"""The lint names what is wrong, says where, and tells what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.alerts.alert import Colour, Info, Status
from broadcaster.ports import Medium
from templates.issuer import Issuer
from templates.library import Library
from templates.lint import Finding, Limits, Severity, lint
from templates.renderer import render, render_all
from templates.skeleton import Purpose
from templates.words import GAP, colours_named
from tests.unit.templates.conftest import MakeAlert

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def codes(findings: list[Finding]) -> set[tuple[str, Severity]]:
    return {(finding.code, finding.severity) for finding in findings}


def override(folder: Path, name: str, text: str) -> Library:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Library(folder)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("【鄞州区】台风红色预警，涉及{{ place }}。请远离海边。", "no-time"),
        ("【鄞州区】{{ issued }}发布台风红色预警。请远离海边。", "no-place"),
        ("【鄞州区】{{ issued }}发布台风红色预警，涉及{{ place }}。回复“求助”。", "no-action"),
        ("", "empty"),
        ("{{ issued }}{{ place }}请{立即}撤离。", "placeholder-left"),
    ],
)
def test_a_template_that_forgets_something_is_found_out(
    block: str, code: str, tmp_path: Path, make_alert: MakeAlert, issuer: Issuer
) -> None:
    library = override(
        tmp_path, "typhoon/sms.public.zh-CN.j2", f"{{% extends layout %}}{{% block text %}}{block}{{% endblock %}}"
    )
    alert = make_alert()

    findings = lint(alert, [render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer, library=library)])

    assert (code, ERROR) in codes(findings)
    found = next(finding for finding in findings if finding.code == code)
    assert (found.channel, found.language, found.purpose) == (Medium.SMS, "zh-CN", Purpose.PUBLIC)
    assert "；" in found.text
    assert found.english


def test_a_unit_text_that_does_not_say_how_to_confirm_is_found_out(
    tmp_path: Path, make_alert: MakeAlert, issuer: Issuer
) -> None:
    library = override(
        tmp_path,
        "typhoon/sms.unit.zh-CN.j2",
        "{% extends layout %}{% block text %}{{ issued }}{{ place }}{{ self.duty() }}{% endblock %}",
    )
    alert = make_alert()
    skeleton = render(alert, Medium.SMS, "zh-CN", Purpose.UNIT, issuer=issuer, library=library)

    assert codes(lint(alert, [skeleton])) == {("no-reply", ERROR)}


def test_an_officers_instruction_is_an_action_whatever_its_words(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(instruction="各自珍重")

    assert ("no-action", ERROR) not in codes(lint(alert, render_all(alert, issuer=issuer, languages=["zh-CN"])))


@pytest.mark.parametrize(
    ("length", "code"), [(300, None), (700, ("too-long", ERROR)), (67 * 256, ("sms-unreachable-length", ERROR))]
)
def test_length_is_judged_by_the_parts_that_are_sent(
    length: int, code: tuple[str, Severity] | None, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert(description="雨" * length, instruction="转移")
    sms = render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert codes(lint(alert, [sms])) == ({code} if code else set())


def test_the_limit_of_parts_is_the_offices(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert()
    sms = render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert codes(lint(alert, [sms], limits=Limits(sms_parts=3))) == {("too-long", ERROR)}
    assert codes(lint(alert, [sms], limits=Limits(sms_parts=4))) == set()


def test_a_long_english_text_does_not_hold_back_the_chinese_one(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(infos=(Info(event="Typhoon", language="en", description="Rain. " * 150, instruction="Go."),))
    sms = render(alert, Medium.SMS, "en", Purpose.PUBLIC, issuer=issuer)

    assert codes(lint(alert, [sms])) == {("too-long", WARNING)}


def test_a_text_that_takes_minutes_to_hear_is_named(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(description="雨很大，" * 150, instruction="转移")
    call = render(alert, Medium.VOICE, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert codes(lint(alert, [call])) == {("too-long", WARNING)}


def test_card_fields_that_will_not_be_shown_whole_are_named(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(
        event="超强台风及其引发的特大暴雨洪涝和风暴潮复合型灾害", description="雨很大。" * 60, instruction="转移"
    )
    card = render(alert, Medium.WECHAT, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    findings = lint(alert, [card])

    assert codes(findings) == {("field-too-long", WARNING)}
    assert any("keyword1" in finding.text for finding in findings)
    assert any("备注" in finding.text for finding in findings)


@pytest.mark.parametrize("medium", list(Medium))
def test_a_rehearsal_whose_mark_was_lost_is_stopped(medium: Medium, make_alert: MakeAlert, issuer: Issuer) -> None:
    unmarked = render(make_alert(), medium, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert ("drill-mark-missing", ERROR) in codes(lint(make_alert(status=Status.EXERCISE), [unmarked]))


def test_the_mark_of_a_test_does_not_pass_for_that_of_an_exercise(make_alert: MakeAlert, issuer: Issuer) -> None:
    tested = render(make_alert(status=Status.TEST), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert ("drill-mark-missing", ERROR) in codes(lint(make_alert(status=Status.EXERCISE), [tested]))


@pytest.mark.parametrize("medium", list(Medium))
def test_an_actual_alert_that_bears_a_mark_is_stopped(medium: Medium, make_alert: MakeAlert, issuer: Issuer) -> None:
    marked = render(make_alert(status=Status.EXERCISE), medium, "zh-CN", Purpose.PUBLIC, issuer=issuer)

    assert ("drill-mark-on-actual", ERROR) in codes(lint(make_alert(), [marked]))


def test_an_officer_who_writes_a_mark_into_an_actual_alert_is_stopped_but_may_say_it_is_no_drill(
    make_alert: MakeAlert, issuer: Issuer
) -> None:
    marked = make_alert(headline="【演练】台风红色预警")
    real = make_alert(description="这不是演练！")

    assert ("drill-mark-on-actual", ERROR) in codes(lint(marked, render_all(marked, issuer=issuer)))
    assert ERROR not in {finding.severity for finding in lint(real, render_all(real, issuer=issuer))}


def test_a_drill_sent_to_real_people_is_pointed_out(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert("drill")

    assert codes(lint(alert, render_all(alert, issuer=issuer, languages=["zh-CN"]))) == {
        ("drill-mark-on-actual", WARNING)
    }


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"headline": "台风橙色预警"}, {("colour-mismatch", ERROR)}),
        ({"event": "台风黄色预警信号"}, {("colour-mismatch", ERROR)}),
        ({"description": "发布台风橙色预警，请转移"}, {("colour-mismatch", WARNING)}),
        ({"description": "台风预警由橙色升级为红色，请转移"}, set()),
        ({"headline": "台风橙色预警升级为红色预警"}, set()),
        ({"instruction": "不要越过黄色警戒线，远离蓝色水桶"}, set()),
        ({"headline": "台风红色预警"}, set()),
    ],
)
def test_words_that_name_another_colour_are_found(
    texts: dict[str, str], found: set[tuple[str, Severity]], make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert("typhoon", Colour.RED, **texts)

    assert codes(lint(alert, [render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)])) == found


def test_english_colours_are_found_too() -> None:
    assert colours_named("An orange rainstorm warning; wear a red coat", "en") == {Colour.ORANGE}


@pytest.mark.parametrize(
    "gap",
    [
        "{{place}}",
        "{% if x %}",
        "${name}",
        "{地点}",
        "%(place)s",
        "<地点>",
        "XX镇",
        "××村",
        "____",
        "【请填写】",
        "（待定）",
        "TODO",
    ],
)
def test_gaps_that_nobody_filled_are_found(gap: str, make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(instruction=f"请{gap}居民转移")

    findings = lint(alert, [render(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)])

    assert codes(findings) == {("placeholder-left", ERROR)}
    assert gap.removesuffix("镇").removesuffix("村") in findings[0].text


@pytest.mark.parametrize("text", ["4×4车辆", "[Ⅰ级/特别严重]", "气温{高}于30℃"[:2], "A_B", "（时限2小时）", "100%"])
def test_ordinary_punctuation_is_no_gap(text: str) -> None:
    assert GAP.search(text) is None


def test_what_the_voice_cannot_read_is_named_for_spoken_media_only(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(instruction="转移，详见 https://a.cn/x 😀")
    skeletons = render_all(alert, issuer=issuer, languages=["zh-CN"])

    findings = [finding for finding in lint(alert, skeletons) if finding.code == "unspeakable"]

    assert {finding.channel for finding in findings} == {Medium.VOICE, Medium.LOUDSPEAKER}
    assert all("https://a.cn/x" in finding.text and "😀" in finding.text for finding in findings)


def test_a_language_that_nobody_wrote_is_pointed_out_once(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert()
    foreign = make_alert(infos=(Info(event="Typhoon", language="en", headline="Typhoon"),))

    def found(findings: list[Finding]) -> list[str]:
        return [finding.language for finding in findings if finding.code == "untranslated"]

    assert found(lint(alert, render_all(alert, issuer=issuer))) == ["en"]
    assert found(lint(foreign, render_all(foreign, issuer=issuer))) == ["zh-CN"]


def test_errors_come_before_warnings(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(headline="台风蓝色预警", description="台风黄色预警，😀")

    severities = [finding.severity for finding in lint(alert, render_all(alert, issuer=issuer))]

    assert severities == sorted(severities)
    assert set(severities) == {ERROR, WARNING}
