"""The last look at rendered messages before an alert goes out: named errors and warnings.

The messages are looked at as the longest-named recipient gets them. Each check is one function that yields findings
about one message; `lint` runs them all, and those about the alert itself once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from broadcaster.alerts.alert import Alert, Status
from broadcaster.ports import Medium, Message
from templates import officer, segments
from templates.facts import words_of
from templates.fields import FIELD_LIMITS, width
from templates.finding import Finding, Limits, Severity
from templates.language import DEFAULT, LANGUAGES, Language, closes, language_of
from templates.skeleton import SPOKEN, Purpose, Skeleton, spoken_name
from templates.speech import unspeakable
from templates.words import ACTION, GAP, REPLY, TIME

__all__ = ["Finding", "Limits", "Severity", "lint"]

LONGEST_PLACE = "某某街道某某社区第十二网格"
LONGEST_LINK = "https://yujing.example.gov.cn/r/AbCdEfGh12"
LONGEST_UNIT = "网格长"
_SECONDS_PER_CHARACTER = {"zh-CN": 0.25, "en": 0.07}


@dataclass(frozen=True, slots=True)
class _Case:
    """One message under the lamp."""

    alert: Alert
    skeleton: Skeleton
    message: Message
    place: str
    limits: Limits

    @property
    def language(self) -> Language:
        return language_of(self.skeleton.language)

    def finding(self, code: str, severity: Severity, text: str, english: str, field: str = "") -> Finding:
        one = self.skeleton
        return Finding(code, severity, one.medium, one.language, one.purpose, text, english, field)

    def error(self, code: str, text: str, english: str, field: str = "") -> Finding:
        return self.finding(code, Severity.ERROR, text, english, field)

    def warning(self, code: str, text: str, english: str) -> Finding:
        return self.finding(code, Severity.WARNING, text, english)


def lint(
    alert: Alert,
    rendered: Iterable[Skeleton],
    *,
    limits: Limits | None = None,
    place: str = LONGEST_PLACE,
    link: str = LONGEST_LINK,
    unit: str = LONGEST_UNIT,
) -> list[Finding]:
    """Everything that is wrong with `rendered`, errors first.

    `place`, `link` and `unit` are the longest that will be filled in: the lengths are those of the worst recipient.
    """
    rendered = list(rendered)
    findings = list(officer.findings(alert, [skeleton.language for skeleton in rendered]))
    for skeleton in rendered:
        case = _Case(alert, skeleton, skeleton.fill(place, link, unit), place, limits or Limits())
        for check in CHECKS:
            findings += check(case)
    return sorted(findings, key=lambda finding: finding.severity is Severity.WARNING)


def _empty(case: _Case) -> Iterator[Finding]:
    message, medium = case.message, case.skeleton.medium
    parts = {"正文": message.text}
    if medium in (Medium.EMAIL, Medium.WECHAT):
        parts["标题"] = message.subject
    if medium is Medium.EMAIL:
        parts["HTML正文"] = message.html
    parts |= {name: message.fields.get(name, "") for name in FIELD_LIMITS if medium is Medium.WECHAT}
    for name, text in parts.items():
        if not text.strip():
            yield case.error("empty", f"{name}是空的；请检查模板。", f"The {name} is empty. Check the template.")


def _no_time(case: _Case) -> Iterator[Finding]:
    if not TIME[case.skeleton.language].search(case.message.text):
        yield case.error(
            "no-time", "没有写明时间；请在模板或内容中写上发布时间。", "No time is given. Say when it was issued."
        )


def _no_place(case: _Case) -> Iterator[Finding]:
    place = spoken_name(case.place, case.skeleton.language) if case.skeleton.medium in SPOKEN else case.place
    if place not in case.message.text:
        yield case.error(
            "no-place", "没有写明地点；请在模板中用上 place。", "No place is named. Use `place` in the template."
        )


def _no_action(case: _Case) -> Iterator[Finding]:
    words = words_of(case.alert, case.language)
    told = bool(words and words.instruction.strip()) or ACTION[case.skeleton.language].search(case.message.text)
    if not told and not closes(case.alert):
        yield case.error(
            "no-action",
            "没有写明要做什么；请填写防御指引。",
            "Nobody is told what to do. Fill in the instruction.",
            "instruction",
        )


def _no_reply(case: _Case) -> Iterator[Finding]:
    if case.skeleton.purpose is Purpose.UNIT and not REPLY[case.skeleton.language].search(case.message.text):
        yield case.error(
            "no-reply", "没有告诉责任人怎样确认；请在模板中用上 confirm。", "Duty holders are not told how to confirm."
        )


def _placeholder_left(case: _Case) -> Iterator[Finding]:
    own = " ".join(text for _, _, text in officer.texts(case.alert, case.language))
    for text in (case.message.text, case.message.subject, *case.message.fields.values()):
        match = GAP.search(text)
        if match and match.group() not in own:
            yield case.error(
                "placeholder-left",
                f"模板里还有没填写的“{match.group()}”；请修改模板。",
                f"The template left “{match.group()}” in the text. Correct the template.",
            )
            return


def _too_long(case: _Case) -> Iterator[Finding]:
    if case.skeleton.medium is not Medium.SMS:
        return
    cut = segments.segment(case.message.text)
    if cut.parts > segments.CONCATENATED_MAX:
        yield case.error(
            "sms-unreachable-length",
            f"短信要分{cut.parts}条，超过长短信的上限{segments.CONCATENATED_MAX}条，发不出去；请大幅删减内容。",
            f"The text takes {cut.parts} parts; at most {segments.CONCATENATED_MAX} can be joined. Shorten it.",
        )
    elif cut.parts > case.limits.sms_parts:
        yield case.finding(
            "too-long",
            # only the main language may keep an alert from going out
            Severity.ERROR if case.skeleton.language == DEFAULT else Severity.WARNING,
            f"短信有{cut.units}字，要分{cut.parts}条，限{case.limits.sms_parts}条；请删减内容或防御指引。",
            f"The text has {cut.units} units in {cut.parts} parts; {case.limits.sms_parts} are allowed. Shorten it.",
        )


def _too_long_to_hear(case: _Case) -> Iterator[Finding]:
    if case.skeleton.medium not in SPOKEN:
        return
    seconds = len(case.message.text) * _SECONDS_PER_CHARACTER[case.skeleton.language]
    if seconds > case.limits.spoken_seconds:
        yield case.warning(
            "too-long",
            f"读一遍约要{seconds:.0f}秒，建议不超过{case.limits.spoken_seconds:.0f}秒；请删减内容。",
            f"Reading it takes about {seconds:.0f} s; {case.limits.spoken_seconds:.0f} s are recommended. Shorten it.",
        )


def _field_too_long(case: _Case) -> Iterator[Finding]:
    for name, text in case.message.fields.items():
        limit = FIELD_LIMITS.get(name, 0)
        if name in case.skeleton.shortened and case.skeleton.language == DEFAULT:
            yield case.warning(
                "field-too-long",
                f"微信备注超过{limit}字，已在句末截断，全文在详情页；可删减内容。",
                f"The card's remark is over {limit} characters and was cut; the page has all of it.",
            )
        elif name not in case.skeleton.shortened and name != "remark" and width(text) > limit:
            yield case.warning(
                "field-too-long",
                f"微信字段 {name} 有{width(text)}字，只显示前{limit}字：“{text}”；请缩短。",
                f"The card's field {name} has {width(text)} characters; only {limit} are shown. Shorten it.",
            )


def _drill_mark(case: _Case) -> Iterator[Finding]:
    mark = case.language.mark(case.alert.status)
    if mark is None:
        found = next((word for word in _ALL_MARKS if any(word in text for text in _visible(case.message))), "")
        if found and case.alert.hazard != "drill":
            yield case.error(
                "drill-mark-on-actual",
                f"这是真实预警，却带有演练的字样“{found}”；请去掉字样，或把状态改为演练。",
                f"This is an actual alert that bears “{found}”. Remove the mark, or set its status to Exercise.",
            )
        return
    opening, closing = (mark.opening, mark.closing) if case.skeleton.medium in SPOKEN else (mark.written, mark.written)
    for text in (case.message.text, case.message.subject):
        if text and not (text.startswith(opening) and text.endswith(closing)):
            yield case.error(
                "drill-mark-missing",
                f"演练消息的开头和结尾必须带有“{mark.written}”；请检查模板。",
                f"A rehearsal's text must begin and end with {mark.written}. Check the template.",
            )


_ALL_MARKS = tuple(
    dict.fromkeys(
        word
        for language in LANGUAGES.values()
        for status in (Status.EXERCISE, Status.TEST)
        if (mark := language.mark(status))
        for word in (mark.written, mark.opening.strip())
    )
)


def _visible(message: Message) -> Iterator[str]:
    yield from (message.text, message.subject, message.html, *message.fields.values())


def _unspeakable(case: _Case) -> Iterator[Finding]:
    if case.skeleton.medium not in SPOKEN:
        return
    fragments = [
        fragment
        for _, _, text in officer.texts(case.alert, case.language)
        for fragment in unspeakable(text, case.skeleton.language)
    ]
    if fragments:
        shown = "、".join(dict.fromkeys(fragments))
        yield case.warning(
            "unspeakable",
            f"语音读不出“{shown}”，播报时会跳过；请换成能读的文字。",
            f"The voice cannot read “{shown}” and leaves it out. Use words instead.",
        )


CHECKS: tuple[Callable[[_Case], Iterator[Finding]], ...] = (
    _empty,
    _no_time,
    _no_place,
    _no_action,
    _no_reply,
    _placeholder_left,
    _too_long,
    _too_long_to_hear,
    _field_too_long,
    _drill_mark,
    _unspeakable,
)
"""The checks of one message, in the order their findings are listed."""
