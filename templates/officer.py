"""What the lint says about the officer's own words, before any template has touched them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from broadcaster.alerts.alert import Alert, Colour, Status
from templates.facts import words_of
from templates.finding import Finding, Severity
from templates.language import DEFAULT, Language, language_of, same
from templates.words import GAP, colours_named


def findings(alert: Alert, languages: Iterable[str]) -> Iterator[Finding]:
    """The findings about `alert` itself, for each language that it is rendered in."""
    if alert.hazard == "drill" and alert.status is Status.ACTUAL:
        yield _finding(
            "drill-mark-on-actual",
            Severity.WARNING,
            "",
            "灾种是演练，状态却是真实，将发给真实的群众；如果只是内部演练，请把状态改为演练。",
            "The hazard is a drill but the status is Actual: real people will get it. Was Exercise meant?",
        )
    for tag in dict.fromkeys(languages):
        language = language_of(tag)
        yield from _colour_mismatch(alert, language)
        yield from _gaps(alert, language)
        yield from _untranslated(alert, language)


def texts(alert: Alert, language: Language) -> Iterator[tuple[str, str, str]]:
    """The officer's texts that are used in `language`, as (Chinese name, English name, text)."""
    words = words_of(alert, language)
    if words is not None:
        yield ("标题", "headline", words.headline)
        yield ("事件名称", "event", words.event)
        yield ("内容", "description", words.description)
        yield ("防御指引", "instruction", words.instruction)


def _finding(code: str, severity: Severity, language: str, text: str, english: str, field: str = "") -> Finding:
    return Finding(code, severity, None, language, None, text, english, field)


def _colour_mismatch(alert: Alert, language: Language) -> Iterator[Finding]:
    if alert.colour is None:
        return
    for chinese, english, text in texts(alert, language):
        named = colours_named(text, language.tag)
        if not named or alert.colour in named:
            continue
        written = "、".join(f"{colour.chinese}色" for colour in Colour if colour in named)
        # a description may tell of an earlier colour (由橙色升级…); a headline may not
        yield _finding(
            "colour-mismatch",
            Severity.ERROR if english in ("headline", "event") else Severity.WARNING,
            language.tag,
            f"{chinese}里写的是{written}，而预警等级是{alert.colour.chinese}色；请改成一致。",
            f"The {english} says {', '.join(sorted(named))} but the alert is {alert.colour}. Make them agree.",
            english,
        )


def _gaps(alert: Alert, language: Language) -> Iterator[Finding]:
    for chinese, english, text in texts(alert, language):
        if match := GAP.search(text):
            yield _finding(
                "placeholder-left",
                Severity.ERROR,
                language.tag,
                f"{chinese}里还有没填写的“{match.group()}”；请填写或者删除。",
                f"The {english} still holds “{match.group()}”. Fill it in or delete it.",
                english,
            )


def _untranslated(alert: Alert, language: Language) -> Iterator[Finding]:
    if not alert.infos or any(same(info.language, language.tag) for info in alert.infos):
        return
    if language.tag == DEFAULT:
        text = "没有填写中文内容，中文消息用的是其他语言的原文；请补写中文。"
        english = "Nothing is written in Chinese; the Chinese messages use another language's words. Add Chinese."
    else:
        text = "没有填写英文内容，英文消息用的是模板的默认文字；如有需要请补写。"
        english = (
            f"Nothing is written in {language.tag}; its messages use the templates' own words. Add some if needed."
        )
    yield _finding("untranslated", Severity.WARNING, language.tag, text, english)
