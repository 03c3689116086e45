"""The rules of an alert's life, all of them, in one place and without I/O.

Each rule that is broken gives one `Finding`; a check gives all of them at once, so that a form can mark every field
and a person corrects once. `demand` turns findings into the one error that names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.alerts import areas
from broadcaster.alerts.actor import Actor, Role
from broadcaster.alerts.alert import Alert, Colour, Kind, MsgType, Scope, Status
from broadcaster.alerts.geometry import circle_faults, ring_faults
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.state import State
from broadcaster.errors import ForbiddenError, RuleError
from broadcaster.phrase import joined, ours, phrase


class Action(StrEnum):
    """What can be done to an alert."""

    EDIT = "edit"
    SUBMIT = "submit"
    RECALL = "recall"
    APPROVE = "approve"
    REJECT = "reject"
    ISSUE = "issue"
    END = "end"

    @property
    def chinese(self) -> str:
        """What is done, in words."""
        return _CHINESE[self]


_DEEDS = ("修改预警", "提交预警审核", "撤回预警", "批准预警", "退回预警", "发布预警", "结束预警")
_CHINESE = dict(zip(Action, _DEEDS, strict=True))

_AUTHORS = frozenset({Role.AUTHOR, Role.ADMINISTRATOR})
_APPROVERS = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
_ANYONE = frozenset(Role)

TRANSITIONS: dict[Action, tuple[frozenset[State], State, frozenset[Role]]] = {
    Action.EDIT: (frozenset({State.DRAFT, State.REJECTED}), State.DRAFT, _AUTHORS),
    Action.SUBMIT: (frozenset({State.DRAFT, State.REJECTED}), State.IN_REVIEW, _AUTHORS),
    Action.RECALL: (frozenset({State.IN_REVIEW}), State.DRAFT, _AUTHORS),
    Action.APPROVE: (frozenset({State.IN_REVIEW}), State.APPROVED, _APPROVERS),
    Action.REJECT: (frozenset({State.IN_REVIEW, State.APPROVED}), State.REJECTED, _APPROVERS),
    Action.ISSUE: (frozenset({State.APPROVED}), State.ISSUED, _ANYONE),
    Action.END: (frozenset({State.ISSUED}), State.ENDED, _APPROVERS),
}
"""Action → from which states, to which state, by whom."""

_BEFORE_APPROVAL = frozenset({State.DRAFT, State.REJECTED, State.IN_REVIEW})
_BROADCAST_STATUSES = frozenset({Status.ACTUAL, Status.EXERCISE, Status.TEST})
_REPLACING = frozenset({MsgType.UPDATE, MsgType.CANCEL})


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """What an office may set for itself.

    `self_approval`: one may approve what one wrote. `issue_first`: a red alert may go out before it is approved (the
    approval is asked for afterwards). `exempt`: colours that need no approval at all.
    """

    self_approval: bool = False
    issue_first: bool = False
    exempt: frozenset[Colour] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: `code` for machines, `field` of the alert that it is about ("" for none), `text` for people."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands in its life, as far as the rules ask: taken from its record."""

    identifier: str
    state: State
    created_by: str
    approved_by: str | None
    rehearsal: bool
    colour: Colour | None
    superseded_by: str | None


def demand(findings: Iterable[Finding], doing: Action) -> None:
    """Raise a `RuleError` that names every finding; return when there are none."""
    broken = list(findings)
    if broken:
        raise RuleError(
            "不能%(deed)s：%(findings)s。",
            remedy="请按提示补正后重试。",
            deed=ours(doing.chinese),
            findings=joined("；", (finding.text for finding in broken)),
        )


def allow(action: Action, actor: Actor, standing: Standing, rules: ApprovalRules) -> State:
    """The state that `action` leads to; `ForbiddenError` for who may not, `RuleError` for what may not be now."""
    states, target, roles = TRANSITIONS[action]
    if not actor.holds(roles):
        raise ForbiddenError("您没有%(deed)s的权限。", remedy="请由有权限的人员操作。", deed=ours(action.chinese))
    if action is Action.APPROVE and actor.name == standing.created_by and not rules.self_approval:
        raise ForbiddenError("不能批准自己起草的预警。", remedy="请由另一位带班领导批准。")
    if action is Action.APPROVE and standing.state is State.ISSUED and standing.approved_by is None:
        return State.ISSUED
    if action is Action.END and standing.superseded_by is not None:
        text = phrase("它已被 %(newer)s 取代，应结束最新的一条", newer=standing.superseded_by)
        demand([Finding("superseded", "state", text)], action)
    if standing.state in states or (action is Action.ISSUE and _without_approval(standing, rules)):
        return target
    demand([_wrong_state(action, standing, states)], action)
    raise AssertionError(action)


def goes_first(colour: Colour | None, rules: ApprovalRules) -> bool:
    """Whether an alert of this colour may go out before anybody has approved it."""
    return colour in rules.exempt or (rules.issue_first and colour is Colour.RED)


def approval_wanting(standing: Standing, rules: ApprovalRules) -> bool:
    """Whether it went out first and somebody still has to approve it."""
    return standing.state is State.ISSUED and standing.approved_by is None and standing.colour not in rules.exempt


def _without_approval(standing: Standing, rules: ApprovalRules) -> bool:
    return standing.state in _BEFORE_APPROVAL and goes_first(standing.colour, rules)


def _wrong_state(action: Action, standing: Standing, states: frozenset[State]) -> Finding:
    text = phrase(
        "它现在是“%(state)s”，只有“%(allowed)s”的才能%(deed)s",
        state=ours(standing.state.chinese),
        allowed=joined("、", (ours(state.chinese) for state in State if state in states)),
        deed=ours(action.chinese),
    )
    return Finding("state", "state", text)


def completeness(alert: Alert, now: datetime) -> Iterator[Finding]:
    """What must be there before an alert goes to review or out: hazard, colour, words, area, times, action to take.

    An all-clear needs no colour and no action, a Cancel besides needs no area: it goes to whoever its lineage reached.
    """
    cancelling = alert.msg_type is MsgType.CANCEL
    yield from _envelope(alert)
    if alert.hazard not in HAZARDS:
        yield Finding("hazard", "hazard", "没有选择灾种")
    if alert.colour is None and not cancelling and alert.kind is not Kind.ALL_CLEAR:
        yield Finding("colour", "colour", "没有选择预警等级颜色")
    if not alert.infos:
        yield Finding("info", "infos", "没有任何内容")
        return
    yield from _words(alert)
    yield from _times(alert, now)
    if not cancelling:
        yield from _places(alert)


def _envelope(alert: Alert) -> Iterator[Finding]:
    if alert.msg_type not in (MsgType.ALERT, *_REPLACING):
        yield Finding("type", "msg_type", phrase("%(type)s 是系统间的回执，不能向公众发布", type=alert.msg_type.value))
    if alert.status not in _BROADCAST_STATUSES:
        yield Finding("status", "status", _status(alert))
    if alert.scope is Scope.PRIVATE:
        yield Finding("scope", "scope", "scope 为 Private 的消息只给指定收件人，不能广播")


def _words(alert: Alert) -> Iterator[Finding]:
    acting = alert.msg_type is not MsgType.CANCEL and alert.kind is not Kind.ALL_CLEAR
    for place, info in enumerate(alert.infos):
        language = info.language if len(alert.infos) > 1 else ""
        if not info.headline.strip():
            yield Finding("headline", f"infos[{place}].headline", _of("没有标题", language))
        if acting and not info.instruction.strip():
            yield Finding("instruction", f"infos[{place}].instruction", _of("没有写明要采取的行动", language))


def _of(lack: str, language: str) -> str:
    return phrase("%(lack)s（%(language)s）", lack=ours(lack), language=language) if language else lack


def _status(alert: Alert) -> str:
    return phrase("状态为 %(status)s 的消息不能发布，只有 Actual、Exercise、Test 可以", status=alert.status.value)


def _times(alert: Alert, now: datetime) -> Iterator[Finding]:
    if any(info.effective is None for info in alert.infos):
        yield Finding("effective", "effective", "没有生效时间")
    if alert.expires is None:
        yield Finding("expires", "expires", "没有失效时间")
    elif alert.expires <= now:
        yield Finding("expired", "expires", "失效时间已过")
    if any(info.effective and info.expires and info.expires <= info.effective for info in alert.infos):
        yield Finding("times", "expires", "失效时间应晚于生效时间")


def _places(alert: Alert) -> Iterator[Finding]:
    rings, circles = areas.polygons(alert), areas.circles(alert)
    if not (areas.regions(alert) or rings or circles):
        yield Finding("area", "areas", "没有可用的发布区域（行政区划代码、多边形或圆）")
    for fault in (
        *(one for ring in rings for one in ring_faults(ring)),
        *(one for c in circles for one in circle_faults(c)),
    ):
        yield Finding("geometry", "areas", fault)


def succession(alert: Alert, referenced: Iterable[Standing]) -> Iterator[Finding]:
    """What an Update or Cancel must refer to: an alert issued here, latest of its lineage, of the same status.

    `referenced` are the standings of those of its references that are known here; a first Alert needs none.
    """
    if alert.msg_type not in _REPLACING:
        return
    known = list(referenced)
    if not known:
        yield Finding(
            "predecessor", "references", phrase("%(type)s 没有引用本系统发布过的预警", type=alert.msg_type.value)
        )
        return
    latest = [standing for standing in known if standing.superseded_by is None]
    if not latest:
        text = phrase("引用的预警已被 %(newer)s 取代，应引用最新的一条", newer=known[0].superseded_by)
        yield Finding("predecessor-superseded", "references", text)
    for standing in latest:
        if standing.state is not State.ISSUED:
            text = phrase(
                "引用的预警 %(identifier)s 现在是“%(state)s”，只能更新或取消已发布的",
                identifier=standing.identifier,
                state=ours(standing.state.chinese),
            )
            yield Finding("predecessor-state", "references", text)
        if standing.rehearsal != alert.rehearsal:
            yield Finding("predecessor-status", "references", "演练不能更新或取消实战预警，实战也不能更新或取消演练")
    if len(latest) > 1:
        yield Finding("predecessor-several", "references", "引用了多条互不相干的预警，一次只能更新或取消一条")


def issuable(alert: Alert, now: datetime, referenced: Iterable[Standing] = ()) -> list[Finding]:
    """Every finding that stands between this alert and its issue, its state and the actor's roles aside."""
    return [*completeness(alert, now), *succession(alert, referenced)]
