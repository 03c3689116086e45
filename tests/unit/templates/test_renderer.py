"""Every hazard, kind, medium, language and purpose keeps the promises of an official warning."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from broadcaster.alerts.alert import Alert, Colour, Info, Kind, MsgType, Status
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.errors import InputError
from broadcaster.ports import Medium, Message
from templates.fields import FIELD_LIMITS, FIELDS, width
from templates.issuer import Issuer
from templates.library import MESSAGES
from templates.lint import Severity, lint
from templates.renderer import render, render_all
from templates.segments import segment
from templates.skeleton import SPOKEN, Purpose
from tests.unit.templates.conftest import MakeAlert

PLACE, LINK = "下应街道江六村第三网格", "https://dh.nbyz.gov.cn/r/a8Kz3f"
UNITS = {"zh-CN": "网格长", "en": "Grid leader"}
WORDED = ("typhoon", "rainstorm", "flash_flood", "geological", "forest_fire", "storm_surge", "hazmat", "drill")
PAIRS = [(m, p) for m in Medium for p in Purpose if (m, p) != (Medium.LOUDSPEAKER, Purpose.UNIT)]
COLOUR_WORDS = {"zh-CN": "红色", "en": "RED"}


def message(
    alert: Alert, medium: Medium, language: str, purpose: Purpose, issuer: Issuer, *, code: str = "", link: str = LINK
) -> Message:
    return render(alert, medium, language, purpose, code, issuer=issuer).fill(PLACE, link, UNITS[language])


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("medium", "purpose"), PAIRS)
@pytest.mark.parametrize("hazard", sorted(HAZARDS))
def test_a_warning_says_who_when_where_what_colour_and_what_to_do(
    *, hazard: str, medium: Medium, purpose: Purpose, language: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert(hazard, status=Status.EXERCISE if hazard == "drill" else Status.ACTUAL)

    text = message(alert, medium, language, purpose, issuer).text

    assert {"zh-CN": issuer.name, "en": issuer.english}[language] in text
    assert PLACE in text
    assert medium not in SPOKEN or language == "en" or not re.search("[0-9]", text)
    times = {"zh-CN": r"11月23日21时30分|十一月二十三日晚上九点三十分", "en": "21:30 on 23 Nov"}
    assert re.search(times[language], text)
    if hazard != "drill":
        assert COLOUR_WORDS[language] in text
    assert not [
        finding
        for finding in lint(alert, [render(alert, medium, language, purpose, issuer=issuer)])
        if finding.severity is Severity.ERROR
    ]


@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("hazard", sorted(HAZARDS))
def test_no_default_text_is_refused_by_the_lint(
    hazard: str, colour: Colour, make_alert: MakeAlert, issuer: Issuer
) -> None:
    for kind, msg_type in (
        (Kind.WARNING, MsgType.UPDATE),
        (Kind.MOBILIZATION, MsgType.ALERT),
        (Kind.ALL_CLEAR, MsgType.CANCEL),
    ):
        alert = make_alert(hazard, colour, kind=kind, msg_type=msg_type, status=Status.EXERCISE)
        errors = [f for f in lint(alert, render_all(alert, "27", issuer=issuer)) if f.severity is Severity.ERROR]
        assert errors == []


@pytest.mark.parametrize("hazard", sorted(HAZARDS))
def test_default_texts_stay_short(hazard: str, make_alert: MakeAlert, issuer: Issuer) -> None:
    for kind in Kind:
        alert = make_alert(hazard, kind=kind, status=Status.EXERCISE)
        for purpose in Purpose:
            assert segment(message(alert, Medium.SMS, "zh-CN", purpose, issuer, code="279").text).parts <= 5
            assert segment(message(alert, Medium.SMS, "en", purpose, issuer, code="279").text).parts <= 8
            card = message(alert, Medium.WECHAT, "zh-CN", purpose, issuer, code="279")
            assert {name for name, text in card.fields.items() if width(text) > FIELD_LIMITS[name]} == set()
            assert len(message(alert, Medium.VOICE, "zh-CN", purpose, issuer).text) <= 300


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("hazard", WORDED)
def test_the_hazards_of_the_field_have_wording_of_their_own(
    hazard: str, language: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    assert (MESSAGES / hazard / f"wording.{language}.j2").is_file()
    actions = {
        message(make_alert(hazard), Medium.EMAIL, language, purpose, issuer).text.replace(hazard, "")
        for purpose in Purpose
    }
    generic = {message(make_alert("generic"), Medium.EMAIL, language, p, issuer).text for p in Purpose}
    assert actions.isdisjoint(generic)


@pytest.mark.parametrize("colour", list(Colour))
def test_colour_and_level_go_together(colour: Colour, make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert("typhoon", colour), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    level = {"red": "Ⅰ级/特别严重", "orange": "Ⅱ级/严重", "yellow": "Ⅲ级/较重", "blue": "Ⅳ级/一般"}[colour]
    assert f"台风{colour.chinese}色预警[{level}]" in text


def test_the_public_message_reads_as_an_official_warning(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert("flash_flood"), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert text == (
        "【鄞州区应急管理局】山洪红色预警[Ⅰ级/特别严重]。鄞州区气象台11月23日21时30分发布，涉及下应街道江六村第三网格。"
        "未来24小时发生山洪灾害的可能性很大，溪河水位可能猛涨。"
        "防御指引：山区溪河沿岸、沟口和低洼处人员立即向两侧高处转移，不要沿沟谷上下游跑；"
        "不要涉水过河、过桥、过漫水路；停止山区旅游、漂流、露营；不要返回取物。"
        "需要帮助请回复“求助”或拨打119。详情：https://dh.nbyz.gov.cn/r/a8Kz3f"
    )


def test_the_loudspeaker_speaks_in_words_only(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert("flash_flood"), Medium.LOUDSPEAKER, "zh-CN", Purpose.PUBLIC, issuer).text

    assert text == (
        "下应街道江六村第三网格的居民请注意！下应街道江六村第三网格的居民请注意！"
        "鄞州区应急管理局通知，山洪红色预警，一级，特别严重。鄞州区气象台十一月二十三日晚上九点三十分发布。"
        "未来二十四小时发生山洪灾害的可能性很大，溪河水位可能猛涨。"
        "山洪危险！请马上向高处跑，离开溪边，沟口和低洼处。不要过河，不要过桥，不要回去拿东西。遇险求助请拨打幺幺九。"
    )


@pytest.mark.parametrize("medium", [Medium.SMS, Medium.WECHAT, Medium.EMAIL])
def test_duty_holders_are_asked_to_reply_one_with_the_code_and_may_ask_for_help(
    medium: Medium, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert("typhoon", kind=Kind.MOBILIZATION)

    assert (
        "收到请回复“1”（多条时回复“1 27”），需要支援请回复“求助”。"
        in message(alert, medium, "zh-CN", Purpose.UNIT, issuer, code="27").text
    )
    assert "收到请回复“1”，需要支援请回复“求助”。" in message(alert, medium, "zh-CN", Purpose.UNIT, issuer).text
    assert (
        "Reply 1 to confirm (1 27 if you have several), HELP for help."
        in message(alert, medium, "en", Purpose.UNIT, issuer, code="27").text
    )


@pytest.mark.parametrize("medium", [Medium.WECHAT, Medium.EMAIL])
def test_a_medium_with_buttons_is_told_what_the_answer_is(
    medium: Medium, make_alert: MakeAlert, issuer: Issuer
) -> None:
    assert message(make_alert(), medium, "zh-CN", Purpose.UNIT, issuer).answer == "1"
    assert message(make_alert(), medium, "zh-CN", Purpose.PUBLIC, issuer).answer == ""


def test_calls_end_with_the_keys_to_press(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert()

    assert message(alert, Medium.VOICE, "zh-CN", Purpose.PUBLIC, issuer).text.endswith("听清楚请按一，需要帮助请按九。")
    assert message(alert, Medium.VOICE, "zh-CN", Purpose.UNIT, issuer).text.endswith("收到请按一，需要支援请按九。")
    assert message(alert, Medium.VOICE, "en", Purpose.UNIT, issuer).text.endswith(
        "Press 1 to confirm, press 9 if you need help."
    )


@pytest.mark.parametrize(("medium", "purpose"), PAIRS)
def test_the_officers_words_come_before_the_templates(
    medium: Medium, purpose: Purpose, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert(headline="紧急转移令", description="横溪水库即将泄洪", instruction="下游村民立即撤到横溪小学")

    text = message(alert, medium, "zh-CN", purpose, issuer).text

    for words in ("紧急转移令", "横溪水库即将泄洪", "下游村民立即撤到横溪小学"):
        assert words in text
    assert "12级以上" not in text
    assert "十二级以上" not in text


def test_a_mobilization_puts_the_hazards_orders_after_taking_post(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert("typhoon", kind=Kind.MOBILIZATION), Medium.SMS, "zh-CN", Purpose.UNIT, issuer).text

    assert "台风应急动员令" in text
    assert "请立即：到岗值守，保持电话畅通；1.逐户通知，立即组织危旧房" in text


@pytest.mark.parametrize(
    ("kind", "msg_type", "title"),
    [
        (Kind.ALL_CLEAR, MsgType.ALERT, "解除台风红色预警。"),
        (Kind.ALL_CLEAR, MsgType.CANCEL, "解除台风红色预警。"),
        (Kind.WARNING, MsgType.CANCEL, "解除台风红色预警。"),
        (Kind.MOBILIZATION, MsgType.CANCEL, "解除台风应急动员令。"),
    ],
)
def test_an_end_says_what_is_over_and_how_to_return(
    kind: Kind, msg_type: MsgType, title: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    alert = make_alert("typhoon", kind=kind, msg_type=msg_type)
    text = message(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert title in text
    assert "有序返回" in text
    assert "有效期至" not in message(alert, Medium.EMAIL, "zh-CN", Purpose.PUBLIC, issuer).text


def test_an_update_says_that_it_is_one(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert(msg_type=MsgType.UPDATE), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert "11月23日21时30分更新" in text


def test_times_are_beijing_times_whatever_the_zone_of_the_alert(issuer: Issuer) -> None:
    info = Info(
        event="暴雨", onset=datetime(2026, 12, 31, 18, 5, tzinfo=UTC), expires=datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    )
    alert = Alert(
        "a", "b", datetime(2026, 12, 31, 16, 1, tzinfo=UTC), hazard="rainstorm", colour=Colour.BLUE, infos=(info,)
    )

    text = message(alert, Medium.EMAIL, "zh-CN", Purpose.PUBLIC, issuer).text

    assert "发布时间：1月1日00时01分" in text
    assert "有效期至：1月1日07时00分" in text
    assert "自1月1日02时05分起，预计12小时内" in text


@pytest.mark.parametrize(
    ("status", "mark", "opening", "closing"),
    [
        (Status.EXERCISE, "【演练】", "现在是演练，", "这是演练，不是真实险情。"),
        (Status.TEST, "【测试】", "现在是系统测试，", "这是系统测试，不是真实险情。"),
        (Status.SYSTEM, "【测试】", "现在是系统测试，", "这是系统测试，不是真实险情。"),
    ],
)
@pytest.mark.parametrize(("medium", "purpose"), PAIRS)
def test_a_rehearsal_is_marked_at_both_ends_of_every_text(
    *,
    medium: Medium,
    purpose: Purpose,
    status: Status,
    mark: str,
    opening: str,
    closing: str,
    make_alert: MakeAlert,
    issuer: Issuer,
) -> None:
    filled = message(make_alert(status=status), medium, "zh-CN", purpose, issuer)

    if medium in SPOKEN:
        assert filled.text.startswith(opening)
        assert filled.text.endswith(closing)
        return
    for text in filter(None, (filled.text, filled.subject, filled.fields.get("first"), filled.fields.get("remark"))):
        assert text.startswith(mark)
        assert text.endswith(mark)
    if filled.html:
        assert filled.html.count(mark) == 2
    if filled.fields:
        assert filled.fields["keyword1"].startswith(mark)


def test_an_actual_alert_bears_no_mark_and_a_rehearsal_calls_nobody_out(make_alert: MakeAlert, issuer: Issuer) -> None:
    for medium, purpose in PAIRS:
        assert "演练" not in message(make_alert(), medium, "zh-CN", purpose, issuer).text
        assert "119" not in message(make_alert(status=Status.EXERCISE), medium, "zh-CN", purpose, issuer).text


def test_a_link_ends_before_the_mark_begins(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert(status=Status.EXERCISE), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert text.endswith(f"{LINK} 【演练】")


@pytest.mark.parametrize(("medium", "purpose"), PAIRS)
def test_no_sentence_points_at_a_link_that_is_not_there(
    medium: Medium, purpose: Purpose, make_alert: MakeAlert, issuer: Issuer
) -> None:
    filled = message(make_alert(), medium, "zh-CN", purpose, issuer, link="")

    assert filled.url == ""
    for words in ("详情", "名单", "href"):
        assert words not in filled.text + filled.html


def test_a_language_that_is_not_spoken_becomes_chinese(make_alert: MakeAlert, issuer: Issuer) -> None:
    french = render(make_alert(), Medium.SMS, "fr-FR", Purpose.PUBLIC, issuer=issuer)

    assert french == render(make_alert(), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer=issuer)
    assert render(make_alert(), Medium.SMS, "en-US", Purpose.PUBLIC, issuer=issuer).language == "en"


def test_english_uses_its_own_info_or_the_templates_words_never_the_chinese_ones(
    make_alert: MakeAlert, issuer: Issuer
) -> None:
    chinese = make_alert(headline="台风来了", instruction="快走")
    both = make_alert(
        infos=(
            Info(event="台风", headline="台风来了"),
            Info(event="Typhoon", language="en-US", headline="Typhoon Haiyan", instruction="Go home"),
        )
    )

    only_chinese = message(chinese, Medium.SMS, "en", Purpose.PUBLIC, issuer).text
    assert "台风来了" not in only_chinese
    assert "RED Typhoon Warning" in only_chinese
    assert "Typhoon Haiyan" in message(both, Medium.SMS, "en", Purpose.PUBLIC, issuer).text
    assert "Go home." in message(both, Medium.SMS, "en", Purpose.PUBLIC, issuer).text
    assert "台风来了" in message(both, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text


def test_chinese_uses_foreign_words_rather_than_none(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert("generic", infos=(Info(event="Gas leak", language="en", headline="Gas leak in X Road"),))

    assert "Gas leak in X Road" in message(alert, Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text


@pytest.mark.parametrize("hazard", ["", "volcano", "../base", "base"])
def test_a_hazard_without_a_folder_gets_the_general_words(hazard: str, make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert(hazard, event="火山喷发"), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert "火山喷发红色预警" in text
    assert "远离危险区域" in text


@pytest.mark.parametrize(
    ("event", "title"),
    [("台风", "台风红色预警["), ("台风红色预警", "台风红色预警["), ("防汛一级应急响应", "防汛一级应急响应[")],
)
def test_an_event_that_is_a_title_already_is_not_doubled(
    event: str, title: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    assert f"】{title}" in message(make_alert(event=event), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text


def test_an_alert_without_infos_or_colour_still_makes_a_message(make_alert: MakeAlert, issuer: Issuer) -> None:
    text = message(make_alert("typhoon", None, infos=()), Medium.SMS, "zh-CN", Purpose.PUBLIC, issuer).text

    assert text.startswith("【鄞州区应急管理局】台风预警。11月23日21时30分发布，涉及")


def test_the_card_names_every_field_and_keeps_the_whole_text_beside(make_alert: MakeAlert, issuer: Issuer) -> None:
    card = message(make_alert("storm_surge"), Medium.WECHAT, "zh-CN", Purpose.PUBLIC, issuer)

    assert tuple(card.fields) == FIELDS
    assert card.fields["keyword1"] == "风暴潮红色预警"
    assert card.fields["keyword2"] == "鄞州区气象台"
    assert card.fields["keyword3"] == "11月23日21时30分发布"
    assert card.fields["keyword4"] == PLACE
    assert card.fields["keyword5"] == "远离海边，向高处转移"
    assert card.url == LINK
    assert "防御指引" in card.text


def test_a_long_remark_ends_at_a_sentence_and_keeps_the_mark(make_alert: MakeAlert, issuer: Issuer) -> None:
    alert = make_alert(status=Status.EXERCISE, description="雨很大。" * 80)
    skeleton = render(alert, Medium.WECHAT, "zh-CN", Purpose.PUBLIC, issuer=issuer)
    remark = skeleton.fill(PLACE).fields["remark"]

    assert skeleton.shortened == ("remark",)
    assert len(remark) <= FIELD_LIMITS["remark"]
    assert remark.endswith("雨很大。…【演练】")


def test_mail_has_subject_plain_and_html_bodies(make_alert: MakeAlert, issuer: Issuer) -> None:
    mail = message(make_alert(instruction="1.关窗\n2.断电"), Medium.EMAIL, "zh-CN", Purpose.PUBLIC, issuer)

    assert mail.subject == f"台风红色预警[Ⅰ级/特别严重]（{PLACE}）"
    assert "1.关窗\n2.断电" in mail.text
    assert f'<a href="{LINK}">' in mail.html
    assert "#d7000f" in mail.html


def test_units_are_not_addressed_over_loudspeakers(make_alert: MakeAlert, issuer: Issuer) -> None:
    with pytest.raises(InputError):
        render(make_alert(), Medium.LOUDSPEAKER, "zh-CN", Purpose.UNIT, issuer=issuer)


def test_all_renderings_are_every_medium_language_and_purpose_once(make_alert: MakeAlert, issuer: Issuer) -> None:
    skeletons = render_all(make_alert(), "27", issuer=issuer, languages=["zh", "zh-CN", "en", "fr"])

    keys = [(one.medium, one.language, one.purpose) for one in skeletons]
    assert len(keys) == len(set(keys)) == 18


TWICE = {
    "zh-CN": re.compile(r"请立即[：，:,\s</h2>p]*(组织落实[：，])?(1[.、]|一[、，])?[^。；;]*(请|立即|马上|立刻)"),
    "en": re.compile(r"act now[:,\s</h2>p]*(1\. )?[^.;]*\b(now|immediately|at once)\b", re.IGNORECASE),
}
PRESSING = {
    "zh-CN": ("", "请立即转移到村文化礼堂。", "请到岗。", "1.马上叫醒住户；2.报告。"),
    "en": ("", "Immediately move to the village hall.", "1. Wake people at once; 2. Report."),
}


def worded(language: str, instruction: str) -> Info:
    expires = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    return Info(event="", language=language, expires=expires, instruction=instruction)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("hazard", sorted(HAZARDS))
def test_nobody_is_told_twice_in_one_breath_to_act_at_once(
    *, hazard: str, kind: Kind, language: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    for instruction in PRESSING[language]:
        alert = make_alert(hazard, kind=kind, infos=(worded(language, instruction),))
        for medium in (Medium.SMS, Medium.WECHAT, Medium.EMAIL, Medium.VOICE):
            made = message(alert, medium, language, Purpose.UNIT, issuer)
            for text in (made.text, made.html, *made.fields.values()):
                assert not TWICE[language].search(text), text


@pytest.mark.parametrize(("language", "label"), [("zh-CN", "请立即：组织落实：逐户"), ("en", "Act now: Wake every")])
def test_what_is_said_calmly_is_made_urgent(
    *, language: str, label: str, make_alert: MakeAlert, issuer: Issuer
) -> None:
    instruction = {"zh-CN": "逐户叫醒住户。", "en": "Wake every household."}[language]
    alert = make_alert("flood", infos=(worded(language, instruction),))
    assert label in message(alert, Medium.SMS, language, Purpose.UNIT, issuer).text
