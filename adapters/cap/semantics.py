"""What a well-formed CAP message must still make sense of: who it refers to, when it ends, for whom it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.cap.reason import Reason, error, warning
from broadcaster.alerts.alert import Alert, Info, MsgType, Scope

_REFERRING = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR})
_FORBIDDEN_IN_NAMES = re.compile(r"[\s,<&]")


def check(alert: Alert) -> Iterator[Reason]:
    """Findings on the message as a whole, then on each info. CAP-v1.2 clauses 3.2.1 to 3.2.4 are the source."""
    if alert.msg_type in _REFERRING and not alert.references:
        yield error("semantic", 0, f"{alert.msg_type} 必须用 <references> 指明它针对的消息")
    for name, text in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not text:
            yield error("semantic", 0, f"<{name}> 是空的")
        elif _FORBIDDEN_IN_NAMES.search(text):
            yield warning("semantic", 0, f"<{name}> 含有空格、逗号、< 或 &，引用它的消息会写不出来")
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        yield warning("semantic", 0, "scope 为 Restricted，却没有 <restriction> 说明限制")
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        yield warning("semantic", 0, "scope 为 Private，却没有 <addresses> 收件人")
    if alert.msg_type in (MsgType.ALERT, MsgType.UPDATE) and not alert.infos:
        yield warning("semantic", 0, "没有 <info>，消息没有内容")
    for place, info in enumerate(alert.infos, 1):
        yield from _info(alert, info, f"第 {place} 个 <info>（{info.language}）")


def _info(alert: Alert, info: Info, where: str) -> Iterator[Reason]:
    if not info.event:
        yield warning("semantic", 0, f"{where}的 <event> 是空的")
    if info.expires:
        if info.effective and info.expires < info.effective:
            yield error("semantic", 0, f"{where}的失效时间早于生效时间")
        elif info.expires < alert.sent:
            yield warning("semantic", 0, f"{where}的失效时间早于发布时间，发布时就已失效")
    else:
        yield warning("semantic", 0, f"{where}没有 <expires>，不知道何时失效")
    if not info.areas and alert.msg_type in (MsgType.ALERT, MsgType.UPDATE):
        yield warning("semantic", 0, f"{where}没有 <area>，不知道适用于哪里")
    for area in info.areas:
        if not area.description:
            yield warning("semantic", 0, f"{where}有一个 <areaDesc> 是空的")
