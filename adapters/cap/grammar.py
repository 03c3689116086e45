"""The elements of CAP 1.0, 1.1 and 1.2: which, in what order, how often, and what each may contain.

Written from the standards' own tables (OASIS CAP-v1.2 clause 3.2; CAP-V1.1 clause 3.2; CAP 1.0 clause 3.2). It accepts
what their XML schemas accept, and is milder only about attributes, the form of URIs, and space around a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from adapters.cap.reason import Reason, error
from broadcaster.alerts.alert import Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency
from broadcaster.phrase import joined, ours, phrase
from broadcaster.xml import Node

SIGNATURE_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"

MANY = 1_000_000
"""More than a document may hold: "unbounded"."""


class Version(StrEnum):
    """The versions of CAP, by their namespaces."""

    V10 = "http://www.incident.com/cap/1.0"
    V11 = "urn:oasis:names:tc:emergency:cap:1.1"
    V12 = "urn:oasis:names:tc:emergency:cap:1.2"

    @property
    def number(self) -> str:
        """1.0, 1.1 or 1.2."""
        return self.value[-3:]


Content = Callable[[str], str]
"""Given an element's text, what is wrong with it; "" when nothing is."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a sequence: how often it may stand there, and its content: a check of its text, or a sequence."""

    name: str
    least: int
    most: int
    content: Content | tuple[Element, ...]


def not_allowed(text: str, words: Iterable[str]) -> str:
    """A word is not one of a closed list."""
    return phrase("“%(given)s”不在允许的取值之内：%(allowed)s", given=text[:40], allowed=joined("、", words))


def any_text(_: str) -> str:
    """Nothing is asked of the text."""
    return ""


def one_of(*words: str) -> Content:
    """A closed list."""
    allowed = frozenset(words)

    def check(text: str) -> str:
        return "" if text in allowed else not_allowed(text, words)

    return check


_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_DAY = timedelta(days=1)
_TIME_12 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_DECIMAL = re.compile(r"[+-]?(\d{1,12}(\.\d{0,20})?|\.\d{1,20})")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_TIME_FORM = "时间应写作 2026-07-01T08:00:00+08:00（要有时区，不带小数秒，不用 Z）"


def time_12(text: str) -> str:
    """CAP 1.2: seconds and a numeric zone, no fraction, no Z (clause 3.3.2)."""
    if not _TIME_12.fullmatch(text):
        return _no_time(text)
    return _existing(text)


def time_any(text: str) -> str:
    """CAP 1.0 and 1.1: any xs:dateTime; without a zone it would name no moment, so one is asked for."""
    match = _TIME.fullmatch(text)
    if not match:
        return _no_time(text)
    if not match.group(1):
        return phrase("时间“%(given)s”没有时区，无法确定是哪一刻", given=text[:40])
    return _existing(text)


def _no_time(text: str) -> str:
    return phrase("%(form)s，得到“%(given)s”", form=ours(_TIME_FORM), given=text[:40])


def _existing(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        _ = moment - _DAY, moment + _DAY  # whoever reads it in another zone has to reckon with it
    except (ValueError, OverflowError):
        return phrase("“%(given)s”不是存在的时刻", given=text[:40])
    return ""


def language(text: str) -> str:
    """An RFC 3066 tag; an empty element stands for the default, en-US."""
    good = not text or _LANGUAGE.fullmatch(text)
    return "" if good else phrase("“%(given)s”不是语言代码（如 zh-CN）", given=text[:40])


def decimal(text: str) -> str:
    """xs:decimal."""
    return "" if _DECIMAL.fullmatch(text) else phrase("“%(given)s”不是数字", given=text[:40])


def integer(text: str) -> str:
    """xs:integer."""
    return "" if _INTEGER.fullmatch(text) else phrase("“%(given)s”不是整数", given=text[:40])


def _pair() -> tuple[Element, ...]:
    return (Element("valueName", 1, 1, any_text), Element("value", 1, 1, any_text))


def _area(pair: Content | tuple[Element, ...], height: Content) -> tuple[Element, ...]:
    return (
        Element("areaDesc", 1, 1, any_text),
        Element("polygon", 0, MANY, any_text),
        Element("circle", 0, MANY, any_text),
        Element("geocode", 0, MANY, pair),
        Element("altitude", 0, 1, height),
        Element("ceiling", 0, 1, height),
    )


def _resource(version: Version) -> tuple[Element, ...]:
    deref = () if version is Version.V10 else (Element("derefUri", 0, 1, any_text),)
    return (
        Element("resourceDesc", 1, 1, any_text),
        Element("mimeType", 1 if version is Version.V12 else 0, 1, any_text),
        Element("size", 0, 1, integer),
        Element("uri", 0, 1, any_text),
        *deref,
        Element("digest", 0, 1, any_text),
    )


def _info(version: Version) -> tuple[Element, ...]:
    old = version is Version.V10
    time = time_12 if version is Version.V12 else time_any
    pair: Content | tuple[Element, ...] = any_text if old else _pair()
    categories = [word for word in Category if not (old and word is Category.CBRNE)]
    late = () if version is Version.V12 else (ResponseType.AVOID, ResponseType.ALL_CLEAR)
    responses = [word for word in ResponseType if word not in late]
    certainties: list[str] = ["Very Likely", *Certainty] if old else list(Certainty)
    if old:
        certainties.remove(Certainty.OBSERVED)
    return (
        Element("language", 0, 1, language),
        Element("category", 0 if old else 1, MANY, one_of(*categories)),
        Element("event", 1, 1, any_text),
        *(() if old else (Element("responseType", 0, MANY, one_of(*responses)),)),
        Element("urgency", 1, 1, one_of(*Urgency)),
        Element("severity", 1, 1, one_of(*Severity)),
        Element("certainty", 1, 1, one_of(*certainties)),
        Element("audience", 0, 1, any_text),
        Element("eventCode", 0, MANY, pair),
        Element("effective", 0, 1, time),
        Element("onset", 0, 1, time),
        Element("expires", 0, 1, time),
        Element("senderName", 0, 1, any_text),
        Element("headline", 0, 1, any_text),
        Element("description", 0, 1, any_text),
        Element("instruction", 0, 1, any_text),
        Element("web", 0, 1, any_text),
        Element("contact", 0, 1, any_text),
        Element("parameter", 0, MANY, pair),
        Element("resource", 0, MANY, _resource(version)),
        Element("area", 0, MANY, _area(pair, decimal if version is Version.V12 else any_text)),
    )


def _alert(version: Version) -> tuple[Element, ...]:
    old = version is Version.V10
    statuses = [word for word in Status if not (old and word is Status.DRAFT)]
    return (
        Element("identifier", 1, 1, any_text),
        Element("sender", 1, 1, any_text),
        Element("sent", 1, 1, time_12 if version is Version.V12 else time_any),
        Element("status", 1, 1, one_of(*statuses)),
        Element("msgType", 1, 1, one_of(*MsgType)),
        *((Element("password", 0, 1, any_text),) if old else ()),
        Element("source", 0, 1, any_text),
        Element("scope", 0 if old else 1, 1, one_of(*Scope)),
        Element("restriction", 0, 1, any_text),
        Element("addresses", 0, 1, any_text),
        Element("code", 0, MANY, any_text),
        Element("note", 0, 1, any_text),
        Element("references", 0, 1, any_text),
        Element("incidents", 0, 1, any_text),
        Element("info", 0, MANY, _info(version)),
    )


GRAMMARS: dict[Version, tuple[Element, ...]] = {version: _alert(version) for version in Version}


def check(alert: Node, version: Version) -> list[Reason]:
    """Everything in which an <alert> differs from the standard's form, in document order; empty when nothing does."""
    children = list(alert.children)
    if version is Version.V12:
        while children and children[-1].namespace == SIGNATURE_NAMESPACE:
            children.pop()
    return list(_sequence(alert, children, GRAMMARS[version]))


def _sequence(parent: Node, children: list[Node], grammar: tuple[Element, ...]) -> Iterator[Reason]:
    places = {element.name: place for place, element in enumerate(grammar)}
    seen: Counter[str] = Counter()
    furthest = 0
    if parent.text:
        text = phrase("<%(parent)s> 里不应有文字“%(given)s”", parent=parent.name, given=parent.text[:20])
        yield error("schema", parent.line, text)
    for child in children:
        place = places.get(child.name)
        if place is None or child.namespace != parent.namespace:
            yield error("schema", child.line, _not_here(parent, child))
            continue
        seen[child.name] += 1
        element = grammar[place]
        if seen[child.name] == element.most + 1:
            yield error(
                "schema", child.line, phrase("<%(name)s> 重复，最多 %(most)s 个", name=child.name, most=element.most)
            )
        if place < furthest:
            yield error(
                "schema",
                child.line,
                phrase("<%(name)s> 应在 <%(later)s> 之前", name=child.name, later=grammar[furthest].name),
            )
        furthest = max(furthest, place)
        yield from _content(child, element)
    for element in grammar:
        if seen[element.name] < element.least:
            yield error(
                "schema", parent.line, phrase("<%(parent)s> 缺少 <%(name)s>", parent=parent.name, name=element.name)
            )


def _content(node: Node, element: Element) -> Iterator[Reason]:
    if isinstance(element.content, tuple):
        yield from _sequence(node, node.children, element.content)
        return
    if node.children:
        yield error("schema", node.line, _not_here(node, node.children[0]))
    if fault := element.content(node.text):
        yield error("schema", node.line, about(node.name, fault))


def about(name: str, fault: str) -> str:
    """A fault of an element's text."""
    return phrase("<%(name)s>：%(fault)s", name=name, fault=ours(fault))


def _not_here(parent: Node, child: Node) -> str:
    return phrase("<%(parent)s> 里不应有 <%(name)s>", parent=parent.name, name=child.name)
