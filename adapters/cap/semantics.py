"""What a well-formed CAP message must still make sense of: who it refers to, when it ends, for whom it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.cap.reason import Reason, error, warning
from broadcaster.alerts.alert import Alert, Info, MsgType, Scope
from broadcaster.phrase import phrase
from broadcaster.xml import Node

_REFERRING = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR})
_FORBIDDEN_IN_NAMES = re.compile(r"[\s,<&]")


def check(alert: Alert, root: Node) -> Iterator[Reason]:
    """Findings on the message as a whole, then on each info; `root` is the element that it was read from. CAP-v1.2
    clauses 3.2.1 to 3.2.4 are the source."""
    if alert.msg_type in _REFERRING and not alert.references:
        yield error("semantic", _line(root, "msgType"), needs_references(alert.msg_type))
    for name, text in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not text:
            yield error("semantic", _line(root, name), phrase("<%(name)s> 是空的", name=name))
        elif _FORBIDDEN_IN_NAMES.search(text):
            what = phrase("<%(name)s> 含有空格、逗号、< 或 &，引用它的消息会写不出来", name=name)
            yield warning("semantic", _line(root, name), what)
    scope = _line(root, "scope")
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        yield warning("semantic", scope, "<scope> 为 Restricted，却没有 <restriction> 说明限制")
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        yield warning("semantic", scope, "<scope> 为 Private，却没有 <addresses> 收件人")
    if alert.msg_type in (MsgType.ALERT, MsgType.UPDATE) and not alert.infos:
        yield warning("semantic", root.line, "没有 <info>，消息没有内容")
    for place, (info, node) in enumerate(zip(alert.infos, root.every("info"), strict=True), 1):
        yield from _info(
            alert, info, node, phrase("第 %(place)s 个 <info>（%(language)s）", place=place, language=info.language)
        )


def needs_references(msg_type: MsgType) -> str:
    """It is about another message, and does not say which."""
    return phrase("%(type)s 必须用 <references> 指明它针对的消息", type=msg_type.value)


def _info(alert: Alert, info: Info, node: Node, where: str) -> Iterator[Reason]:
    if not info.event:
        yield warning("semantic", _line(node, "event"), phrase("%(where)s的 <event> 是空的", where=where))
    if info.expires:
        if info.effective and info.expires < info.effective:
            yield error(
                "semantic", _line(node, "expires"), phrase("%(where)s的 <expires> 早于 <effective>", where=where)
            )
        elif info.expires < alert.sent:
            what = phrase("%(where)s的 <expires> 早于 <sent>，发布时就已失效", where=where)
            yield warning("semantic", _line(node, "expires"), what)
    else:
        yield warning("semantic", node.line, phrase("%(where)s没有 <expires>，不知道何时失效", where=where))
    if not info.areas and alert.msg_type in (MsgType.ALERT, MsgType.UPDATE):
        yield warning("semantic", node.line, phrase("%(where)s没有 <area>，不知道适用于哪里", where=where))
    for area, place in zip(info.areas, node.every("area"), strict=True):
        if not area.description:
            yield warning(
                "semantic", _line(place, "areaDesc"), phrase("%(where)s有一个 <areaDesc> 是空的", where=where)
            )


def _line(node: Node, name: str) -> int:
    """The line of the first such child, else that of the element itself."""
    child = node.first(name)
    return child.line if child else node.line
