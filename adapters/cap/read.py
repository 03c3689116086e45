"""From CAP XML to an `Alert`.

`read` is for taking a message in: it gives the alert or raises with every reason. `examine` is for judging one: it
gives what could be made of it and all reasons, warnings too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from adapters.cap import grammar, house, notation, semantics
from adapters.cap.grammar import SIGNATURE_NAMESPACE, Version
from adapters.cap.reason import Reason, Weight, error, told, warning
from broadcaster.alerts.alert import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MsgType,
    NamedValue,
    Reference,
    Resource,
    ResponseType,
    Ring,
    Scope,
    Severity,
    Status,
    Urgency,
)
from broadcaster.alerts.geometry import circle_faults, ring_faults
from broadcaster.errors import InputError
from broadcaster.phrase import joined, ours, phrase
from broadcaster.xml import Node, parse

NATIONAL_NAMESPACE = "http://com.icss.amp"
"""China's national warning platform writes its own dialect under this name; `adapters.cn12379` reads it."""

Word = TypeVar("Word", bound=StrEnum)
Shape = TypeVar("Shape", Ring, Circle)

DEFAULT_LANGUAGE = "en-US"


@dataclass(slots=True)
class Examination:
    """What became of a message: the alert, None when it is refused, and every reason found."""

    alert: Alert | None = None
    reasons: list[Reason] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether any reason is an error."""
        return any(reason.weight is Weight.ERROR for reason in self.reasons)


def read(data: bytes) -> Alert:
    """The alert in a CAP 1.0, 1.1 or 1.2 document; `InputError` with every reason when it is refused."""
    examination = examine(parse(data))
    if examination.alert is None:
        raise InputError(
            "%(reasons)s。",
            remedy="请改正后重新提交；daohu cap check 可先行检查。",
            reasons=joined("；", told(examination.reasons, Weight.ERROR)),
        )
    return examination.alert


def examine(root: Node) -> Examination:
    """Judge the element of one message: its form first, and what it says only when the form is right."""
    version, reasons = _version(root)
    if version is None:
        return Examination(None, reasons)
    examination = Examination(None, grammar.check(root, version))
    if examination.refused:
        return examination
    alert = _Reader(root, version, examination.reasons).alert()
    examination.reasons.extend(semantics.check(alert, root))
    if any(child.namespace == SIGNATURE_NAMESPACE for child in root.children):
        examination.reasons.append(warning("signature", 0, "带有数字签名，未作验证"))
    if not examination.refused:
        examination.alert = alert
    return examination


def _version(root: Node) -> tuple[Version | None, list[Reason]]:
    if root.name != "alert":
        text = phrase("不是预警消息：根元素是 <%(name)s>，应为 <alert>", name=root.name[:40])
        return None, [error("schema", root.line, text)]
    if root.namespace in list(Version):
        return Version(root.namespace), []
    if root.namespace == NATIONAL_NAMESPACE or root.first("sendTime"):
        text = "这是国家预警发布系统（12379）的格式，不是 OASIS CAP；请用 cn12379 导入器读取"
        return None, [error("dialect", root.line, text)]
    names = " ".join(f"{version.number} ({version.value})" for version in Version)
    text = phrase("命名空间“%(given)s”不是 CAP 的：%(names)s", given=root.namespace[:80], names=names)
    return None, [error("schema", root.line, text)]


class _Reader:
    """Turns an element whose form has been checked into values; what is odd goes into `reasons`."""

    def __init__(self, root: Node, version: Version, reasons: list[Reason]) -> None:
        self._root = root
        self._old = version is Version.V10
        self._reasons = reasons

    def alert(self) -> Alert:
        root = self._root
        infos = tuple(self._info(node) for node in root.every("info"))
        return house.settle(
            Alert(
                identifier=root.value("identifier"),
                sender=root.value("sender"),
                sent=notation.read_time(root.value("sent")),
                status=Status(root.value("status")),
                msg_type=MsgType(root.value("msgType")),
                scope=Scope(root.value("scope") or Scope.PUBLIC),
                source=root.value("source"),
                restriction=root.value("restriction"),
                addresses=notation.read_list(root.value("addresses")),
                codes=tuple(node.text for node in root.every("code") if node.text),
                note=root.value("note"),
                references=self._references(root.first("references")),
                incidents=notation.read_list(root.value("incidents")),
                infos=infos,
            )
        )

    def _references(self, node: Node | None) -> tuple[Reference, ...]:
        if node is None or not node.text:
            return ()
        if self._old:
            return notation.read_old_references(node.text)
        try:
            references, rest = notation.read_references(node.text)
        except (ValueError, OverflowError):
            references, rest = (), node.text
        if rest:
            text = phrase("<references> 里“%(given)s”不是“发送者,标识,发布时间”", given=rest[:60])
            self._reasons.append((warning if references else error)("semantic", node.line, text))
        return references

    def _info(self, node: Node) -> Info:
        certainty = node.value("certainty")
        return Info(
            event=node.value("event"),
            language=node.value("language") or DEFAULT_LANGUAGE,
            categories=_words(node, "category", Category),
            response_types=_words(node, "responseType", ResponseType),
            urgency=Urgency(node.value("urgency")),
            severity=Severity(node.value("severity")),
            certainty=Certainty.LIKELY if certainty == "Very Likely" else Certainty(certainty),
            audience=node.value("audience"),
            event_codes=self._pairs(node, "eventCode"),
            effective=_time(node, "effective"),
            onset=_time(node, "onset"),
            expires=_time(node, "expires"),
            sender_name=node.value("senderName"),
            headline=node.value("headline"),
            description=node.value("description"),
            instruction=node.value("instruction"),
            web=node.value("web"),
            contact=node.value("contact"),
            parameters=self._pairs(node, "parameter"),
            resources=tuple(_resource(child) for child in node.every("resource")),
            areas=tuple(self._area(child) for child in node.every("area")),
        )

    def _pairs(self, node: Node, name: str) -> tuple[NamedValue, ...]:
        """valueName and value; CAP 1.0 wrote name=value in one text."""
        if self._old:
            texts = (child.text.partition("=") for child in node.every(name))
            return tuple(NamedValue(key.strip(), value.strip()) for key, _, value in texts)
        return tuple(NamedValue(child.value("valueName"), child.value("value")) for child in node.every(name))

    def _area(self, node: Node) -> Area:
        return Area(
            description=node.value("areaDesc"),
            polygons=tuple(self._shapes(node, "polygon", self._ring)),
            circles=tuple(self._shapes(node, "circle", self._circle)),
            geocodes=self._pairs(node, "geocode"),
            altitude=self._height(node.first("altitude")),
            ceiling=self._height(node.first("ceiling")),
        )

    def _shapes(self, node: Node, name: str, make: Callable[[Node], Shape | None]) -> Iterator[Shape]:
        for child in node.every(name):
            if not child.text:
                self._reasons.append(warning("geometry", child.line, phrase("<%(name)s> 是空的，略去", name=name)))
                continue
            try:
                shape = make(child)
            except ValueError as fault:
                self._reasons.append(error("geometry", child.line, grammar.about(name, fault.args[0])))
                continue
            if shape is not None:
                yield shape

    def _ring(self, node: Node) -> Ring | None:
        ring = notation.read_ring(node.text)
        whole = notation.closed(ring)
        if whole != ring:
            self._reasons.append(warning("geometry", node.line, "<polygon> 没有闭合，已补上起点"))
        faults = ring_faults(whole)
        self._reasons.extend(error("geometry", node.line, grammar.about("polygon", fault)) for fault in faults)
        return None if faults else whole

    def _circle(self, node: Node) -> Circle | None:
        circle = notation.read_circle(node.text)
        faults = circle_faults(circle)
        self._reasons.extend(error("geometry", node.line, grammar.about("circle", fault)) for fault in faults)
        return None if faults else circle

    def _height(self, node: Node | None) -> float | None:
        """CAP 1.0 and 1.1 let any text stand here; what is no number is left out and told."""
        if node is None or not node.text:
            return None
        if fault := grammar.decimal(node.text):
            text = phrase("<%(name)s>：%(fault)s，略去", name=node.name, fault=ours(fault))
            self._reasons.append(warning("semantic", node.line, text))
            return None
        return float(node.text)


def _words(node: Node, name: str, words: type[Word]) -> tuple[Word, ...]:
    return tuple(words(child.text) for child in node.every(name))


def _time(node: Node, name: str) -> datetime | None:
    text = node.value(name)
    return notation.read_time(text) if text else None


def _resource(node: Node) -> Resource:
    size = node.value("size")
    return Resource(
        description=node.value("resourceDesc"),
        media_type=node.value("mimeType"),
        size=int(size) if size else None,
        uri=node.value("uri"),
        data=node.value("derefUri"),
        digest=node.value("digest"),
    )
