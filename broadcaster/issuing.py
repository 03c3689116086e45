"""Issuing: the one transaction that turns an approved alert into a run, and the plan a run follows.

Either all of it happens or nothing: the alert's state, its frozen policy and texts, the end of the runs it replaces,
its own run with a chunk per village, and the units that must confirm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from audiences.selection import Selection, where_terminal
from broadcaster.alerts import areas, authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Alert, Colour, Kind, MsgType, Scope
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.policy import Policy
from broadcaster.alerts.records import AlertRecord
from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.decisions.policies import decided
from broadcaster.decisions.templates import in_words, written
from broadcaster.dispatch import closing, fanout, texts
from broadcaster.dispatch.plan import Plan
from broadcaster.errors import ConflictError, RuleError
from broadcaster.phrase import joined
from broadcaster.recent import Recent
from broadcaster.webhooks.outbox import publish
from templates.issuer import Issuer
from templates.library import BUILT_IN, Library
from templates.lint import Severity, lint
from templates.renderer import render_all
from templates.skeleton import Skeleton

OpenUnits = Callable[[Connection, Plan, datetime], Awaitable[None]]
"""Creates the units of an alert and asks them for the first time."""


STRICT = ApprovalRules()
"""Nobody approves their own, and nothing goes out before it is approved."""


@dataclass(frozen=True, slots=True)
class Office:
    """What an office has set for every alert it issues; `in_force` adds what it has decided since. `policy` gives
    the policy of a colour; `longest_link` is as long as the link in any message, so that lengths are judged as they
    will be.
    """

    district: str
    issuer: Issuer
    policy: Callable[[Colour], Policy]
    rules: ApprovalRules = STRICT
    library: Library = BUILT_IN
    longest_link: str = ""


async def in_force(connection: Connection, office: Office) -> Office:
    """The office with what it has decided in the console over what its settings and folders say."""
    policies, texts_written = await decided(connection), await written(connection)

    def policy(colour: Colour) -> Policy:
        return policies.get(colour.value) or office.policy(colour)

    library = office.library.overlaid(texts_written) if texts_written else office.library
    return replace(office, policy=policy, library=library)


async def issue(
    database: Database, clock: Clock, office: Office, alert_id: int, actor: Actor, open_units: OpenUnits
) -> AlertRecord:
    """Send an approved alert out. `RuleError` names everything in the way; then nothing was changed."""
    now = clock.now()
    async with database.transaction() as connection:
        office = await in_force(connection, office)
        draft = await authoring.load(alert_id)
        colour = await _colour(draft)
        policy = policy_of(draft.alert, office.policy(colour))
        record = await authoring.issue(connection, alert_id, actor, now, policy=policy, rules=office.rules)
        if record.version != draft.version + 1:
            raise ConflictError("发布时这条预警刚被改动。", remedy="请刷新，核对后重新发布。")
        plan = await plan_of(record, office.district)
        skeletons = compose(record.alert, office, record.reply_code or "", await _longest_place(connection))
        if plan.lineage != plan.alert_id:
            await closing.supersede(connection, plan.lineage, plan.alert_id, now)
        await fanout.open_run(connection, plan, now)
        await texts.freeze(connection, record.id, skeletons)
        await open_units(connection, plan, now)
        await publish(connection, record.id, record.alert, now)
        await _refuse_nobody(connection, plan)
    return record


async def _refuse_nobody(connection: Connection, plan: Plan) -> None:
    """An alert that would reach no home, no loudspeaker and no duty holder has a wrong area, or there is no roster."""
    if await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM chunk WHERE alert_id = $1 AND region <> '')", plan.alert_id
    ):
        return
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM unit WHERE alert_id = $1)", plan.alert_id):
        return
    condition, values = where_terminal(plan.selection)
    if not await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM terminal t WHERE {condition})", *values):
        raise nobody()


def nobody() -> RuleError:
    """An alert is for no home, no loudspeaker and no duty holder."""
    return RuleError(
        "这条预警的区域内没有任何住户、责任人或广播终端，发布了也没有人收到。",
        remedy="请核对区域代码或图形；如果还没有名册，请先导入（daohu import）。",
    )


def compose(alert: Alert, office: Office, reply_code: str, longest_place: str) -> Sequence[Skeleton]:
    """Every text of an alert, linted; `RuleError` when one of them must not go out."""
    skeletons = render_all(alert, reply_code, issuer=office.issuer, library=office.library)
    findings = lint(alert, skeletons, place=longest_place or office.issuer.district, link=office.longest_link)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        named = dict.fromkeys(map(in_words, errors))
        raise RuleError(
            "这条消息还不能发出：%(findings)s。", remedy="请按提示修改后重新提交。", findings=joined("；", named)
        )
    return skeletons


async def _longest_place(connection: Connection) -> str:
    name = await connection.fetchval("SELECT name FROM region WHERE level = 3 ORDER BY length(name) DESC LIMIT 1")
    return name or ""


def policy_of(alert: Alert, policy: Policy) -> Policy:
    """The colour's policy; an all-clear and a Cancel ask nobody to confirm, and what is Restricted (CAP scope) goes to
    the people on duty alone."""
    if alert.scope is Scope.RESTRICTED:
        policy = replace(policy, households=(), loudspeakers=False)
    if alert.kind is Kind.ALL_CLEAR or alert.msg_type is MsgType.CANCEL:
        return replace(policy, units=(), unit_roles=())
    return policy


async def _colour(record: AlertRecord) -> Colour:
    """The alert's colour; of one that has none (an all-clear), that of what it ends; else blue."""
    one: AlertRecord | None = record
    while one is not None:
        if one.colour:
            return Colour(one.colour)
        one = await AlertRecord.get_or_none(id=one.predecessor_id) if one.predecessor_id else None
    return Colour.BLUE


async def plan_of(record: AlertRecord, district: str) -> Plan:
    """The plan that an issued alert's run follows."""
    if record.policy is None or record.expires_at is None:
        raise RuleError("预警 %(alert)s 尚未发布。", remedy="请先批准并发布。", alert=record.id)
    policy = msgspec.convert(record.policy, Policy)
    return await _plan(record, policy, await _colour(record), record.expires_at, district)


async def plan_if_issued(record: AlertRecord, office: Office) -> Plan:
    """The plan of an alert that was issued; of any other the one that issuing it now would make."""
    if record.policy is not None:
        return await plan_of(record, office.district)
    if record.expires_at is None:
        raise RuleError("预警 %(alert)s 还没有写明何时失效。", remedy="请先补全。", alert=record.id)
    colour = await _colour(record)
    policy = policy_of(record.alert, office.policy(colour))
    return await _plan(record, policy, colour, record.expires_at, office.district)


async def _plan(record: AlertRecord, policy: Policy, colour: Colour, expires_at: datetime, district: str) -> Plan:
    first = record if record.lineage == record.identifier else await AlertRecord.get(identifier=record.lineage)
    return Plan(
        alert_id=record.id,
        lineage=first.id,
        rehearsal=record.alert.rehearsal,
        urgency=colour.urgency,
        expires_at=expires_at,
        policy=policy,
        selection=selection_of(record.alert, district),
    )


def selection_of(alert: Alert, district: str) -> Selection:
    """Where an alert applies, as a rule over this district; a province's or prefecture's code means all of it."""
    codes = (
        code if len(code) >= len(district) else district for code in areas.regions(alert) if _meets(code, district)
    )
    return Selection(
        regions=tuple(dict.fromkeys(codes)),
        polygons=areas.polygons(alert),
        circles=tuple((circle.lon, circle.lat, circle.km) for circle in areas.circles(alert)),
    )


def _meets(code: str, district: str) -> bool:
    return code.startswith(district) or district.startswith(code)


class Plans:
    """The plans of recent runs, each read once: they never change after issue."""

    def __init__(self, district: str) -> None:
        self._district = district
        self._known: Recent[int, Plan] = Recent(most=200)

    async def load(self, alert_id: int) -> Plan:
        found = self._known.get(alert_id)
        if found is None:
            found = self._known[alert_id] = await plan_of(await authoring.load(alert_id), self._district)
        return found
