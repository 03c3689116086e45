"""From a 12379 message to an `Alert`.

What differs from CAP 1.2: severity is a colour, the sender has a name and a 14-digit code, times have a space instead
of a T and may lack the zone (then they are Beijing time), the event is a bare five-character code, polygons and
circles may be empty, and geocodes are one comma-separated list of 12-digit region codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from adapters.cap import grammar, notation, semantics
from broadcaster.alerts import areas
from broadcaster.alerts.alert import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Colour,
    Info,
    Kind,
    MsgType,
    NamedValue,
    Reference,
    Ring,
    Scope,
    Severity,
    Status,
    Urgency,
)
from broadcaster.alerts.geometry import circle_faults, ring_faults
from broadcaster.alerts.hazard import EVENT_CODE_NAME, Hazard, hazard_of_code, recognise
from broadcaster.clock import BEIJING
from broadcaster.errors import InputError
from broadcaster.phrase import joined, ours, phrase
from broadcaster.xml import Node, parse

NAMESPACE = "http://com.icss.amp"

SECURITY_CLASS = "12379 secClassification"
METHOD = "12379 method"
"""Parameters that keep what CAP has no element for."""

_REGION = re.compile(r"\d{6}(\d{3}){0,3}")
_COLOURS = {colour.value.capitalize(): colour for colour in Colour}

Word = TypeVar("Word", bound=StrEnum)
Shape = TypeVar("Shape", Ring, Circle)


def read(data: bytes) -> Alert:
    """The alert in a 12379 document; `InputError` names everything in it that cannot be used."""
    root = parse(data)
    if root.name != "alert" or (root.namespace != NAMESPACE and root.first("sendTime") is None):
        raise InputError("不是国家预警发布系统（12379）格式的消息。", remedy="OASIS CAP 请用 cap 导入器读取。")
    reader = _Reader()
    alert = reader.alert(root)
    if reader.faults:
        raise InputError("%(reasons)s。", remedy="请向发送方核对后重新提交。", reasons=joined("；", reader.faults))
    return alert


class _Reader:
    """Collects every fault while it builds; where something is missing it goes on with a stand-in."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def alert(self, root: Node) -> Alert:
        infos = [self._info(root, node) for node in root.every("info")]
        if not infos:
            self._fault(root, "缺少 <info>")
        msg_type = self._word(root, "msgType", MsgType, MsgType.ALERT)
        first = root.first("info") or root
        hazard = _hazard(first)
        return Alert(
            identifier=self._required(root, "identifier"),
            sender=root.value("senderCode") or self._required(root, "sender"),
            sent=self._time(root, "sendTime") or datetime.fromtimestamp(0, UTC),
            status=self._word(root, "status", Status, Status.ACTUAL),
            msg_type=msg_type,
            scope=self._word(root, "scope", Scope, Scope.PUBLIC),
            source=root.value("sender"),
            note=root.value("note"),
            references=self._references(root, msg_type),
            infos=tuple(infos),
            kind=Kind.ALL_CLEAR if msg_type is MsgType.CANCEL else Kind.WARNING,
            hazard=hazard.slug if hazard else "generic",
            colour=_COLOURS.get(first.value("severity").capitalize()),
        )

    def _info(self, root: Node, node: Node) -> Info:
        hazard = _hazard(node)
        code = node.value("eventType")
        severity = node.value("severity").capitalize()
        if severity not in _COLOURS and severity != "Unknown":
            self._fault(
                node,
                phrase("<severity> 应为 Red、Orange、Yellow、Blue 或 Unknown，得到“%(given)s”", given=severity[:20]),
            )
        return Info(
            event=hazard.chinese if hazard else code or node.value("headline"),
            language=node.value("language") or "zh-CN",
            categories=(hazard.category if hazard else Category.OTHER,),
            urgency=self._word(node, "urgency", Urgency, Urgency.UNKNOWN),
            severity=_COLOURS[severity].severity if severity in _COLOURS else Severity.UNKNOWN,
            certainty=self._word(node, "certainty", Certainty, Certainty.UNKNOWN),
            event_codes=(NamedValue(EVENT_CODE_NAME, code),) if code else (),
            effective=self._time(node, "effective"),
            onset=self._time(node, "onset"),
            expires=self._time(node, "expires"),
            sender_name=root.value("sender") or node.value("senderName"),
            headline=node.value("headline"),
            description=node.value("description"),
            instruction=node.value("instruction"),
            parameters=tuple(_parameters(root)),
            areas=tuple(self._area(child) for child in node.every("area")),
        )

    def _area(self, node: Node) -> Area:
        return Area(
            description=node.value("areaDesc"),
            polygons=tuple(self._shapes(node, "polygon", _ring, ring_faults)),
            circles=tuple(self._shapes(node, "circle", notation.read_circle, circle_faults)),
            geocodes=tuple(self._geocodes(node)),
        )

    def _geocodes(self, node: Node) -> Iterator[NamedValue]:
        for child in node.every("geocode"):
            for code in re.split(r"[,，;\s]+", child.text):
                if _REGION.fullmatch(code):
                    yield areas.geocode(code)
                elif code:
                    self._fault(child, phrase("<geocode> 里“%(given)s”不是行政区划代码", given=code[:20]))

    def _shapes(
        self, node: Node, name: str, make: Callable[[str], Shape], faults: Callable[[Shape], list[str]]
    ) -> Iterator[Shape]:
        for child in node.every(name):
            if not child.text:
                continue
            try:
                shape = make(child.text)
            except ValueError as fault:
                self._fault(child, grammar.about(name, fault.args[0]))
                continue
            for text in faults(shape):
                self._fault(child, grammar.about(name, text))
            yield shape

    def _references(self, root: Node, msg_type: MsgType) -> tuple[Reference, ...]:
        """CAP's triples, or bare identifiers separated by commas or spaces."""
        node = root.first("references")
        text = node.text if node else ""
        if not text and msg_type in (MsgType.UPDATE, MsgType.CANCEL):
            self._fault(root, semantics.needs_references(msg_type))
        try:
            references, rest = notation.read_references(text)
        except (ValueError, OverflowError):
            references, rest = (), text
        bare = (Reference("", word, None) for word in re.split(r"[,;\s]+", rest) if word)
        return (*references, *bare)

    def _required(self, node: Node, name: str) -> str:
        text = node.value(name)
        if not text:
            self._fault(node, phrase("缺少 <%(name)s>", name=name))
        return text

    def _word(self, node: Node, name: str, words: type[Word], default: Word) -> Word:
        text = node.value(name)
        if not text:
            return default
        if text not in list(words):
            self._fault(node, grammar.about(name, grammar.not_allowed(text, words)))
            return default
        return words(text)

    def _time(self, node: Node, name: str) -> datetime | None:
        text = node.value(name)
        if not text:
            if name == "sendTime":
                self._fault(node, "缺少 <sendTime>")
            return None
        try:
            time = datetime.fromisoformat(text.replace(" ", "T", 1))
            return (time if time.tzinfo else time.replace(tzinfo=BEIJING)).astimezone(UTC)
        except (ValueError, OverflowError):
            fault = phrase("“%(given)s”不是时间，应如 2026-07-01 08:00:00+08:00", given=text[:40])
            self._fault(node, grammar.about(name, fault))
            return None

    def _fault(self, node: Node, text: str) -> None:
        self.faults.append(phrase("第 %(line)s 行：%(text)s", line=node.line, text=ours(text)))


def _hazard(info: Node) -> Hazard | None:
    return hazard_of_code(info.value("eventType")) or recognise(info.value("headline"))


def _ring(text: str) -> Ring:
    return notation.closed(notation.read_ring(text))


def _parameters(root: Node) -> Iterator[NamedValue]:
    """The distribution methods and the security class, kept so that nothing said is lost."""
    if secret := root.value("secClassification"):
        yield NamedValue(SECURITY_CLASS, secret)
    for code in root.every("code"):
        for method in code.every("method"):
            parts = (f"{child.name}={child.text}" for child in method.children if child.text)
            yield NamedValue(METHOD, "; ".join(parts))
