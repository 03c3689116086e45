"""Doing what a rule decided: with the rule's own rights, in the one transaction that keeps its new state.

A rule's alert takes the way of any other: a draft, the rules of an alert's life, the one transaction of its issue. What
stands in the way of a rule is told to the officers at once; it never makes the event unseen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from broadcaster.alerts import actor as alerts
from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert, Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.errors import DaohuError, RuleError
from broadcaster.issuing import Office, OpenUnits, in_force, issue
from broadcaster.security import audit
from broadcaster.security.coverage import coverage
from broadcaster.security.naming import require_named
from broadcaster.security.permissions import Action, Actor, Grant, Role
from broadcaster.triggers import drafting
from broadcaster.triggers.evaluator import Decision, Step, deed_of, with_alert
from broadcaster.triggers.looking import Why
from broadcaster.triggers.rule import SHORTEST_HOLD, Rule, stored
from broadcaster.triggers.sql import SQL
from broadcaster.triggers.window import Site

_LOG = structlog.get_logger(__name__)

ACCOUNT = "auto:rules"
"""The name under which rules act: none that an account can be given."""

SOURCES = "auto:sources"
"""The name under which messages of sources go out."""

ACT, RELAY = "rules.act", "incoming.act"

_SETTLED = {State.ISSUED: "issued", State.ENDED: "issued", State.REJECTED: "vetoed"}
"""What an officer has done with an alert that is held: sent it out, or back. It is the rule's no more."""

_NOTHING_LEFT = Why(
    "倒计时期间原预警已经结束，没有要解除的，解除没有发出",
    "What it was to call off has ended meanwhile: nothing was left to call off, and nothing was sent",
)

IssueByRule = Callable[[int, alerts.Actor], Awaitable[AlertRecord]]
"""Issues a rule's alert inside the caller's transaction: it was approved with the rule."""

Announce = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule at work: its text's version, whether it is on trial, and the rule itself."""

    name: str
    version: int
    mode: str
    rule: Rule

    @property
    def live(self) -> bool:
        return self.mode == "live"


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf the house acts: the account, the subject and the details of the audit's entries."""

    account: str
    subject: str
    detail: Mapping[str, object]

    @property
    def act(self) -> str:
        """The audit's word for writing an alert."""
        return ACT if self.account == ACCOUNT else RELAY

    @classmethod
    def of(cls, row: Any) -> Origin:
        """Of an event that is held."""
        if row["incoming_id"] is None:
            return cls(ACCOUNT, f"rule:{row['rule']}", {"rule": row["rule"], "version": row["version"]})
        return cls.of_message(row["rule"], row["incoming_id"])

    @classmethod
    def of_message(cls, source: str, incoming: int) -> Origin:
        """Of a message of a source."""
        return cls(SOURCES, f"source:{source}", {"source": source, "incoming": incoming})


@dataclass(frozen=True, slots=True)
class Hand:
    """Does it. `issuing` are the hazards that may go out at once; `announce` is called with what went out, once that is
    committed, by whoever holds the transaction."""

    database: Database
    clock: Clock
    office: Office
    issue: IssueByRule
    announce: Announce
    issuing: frozenset[str]

    async def act(
        self,
        connection: Connection,
        standing: Standing,
        decision: Decision,
        before: int | None,
        among: tuple[Site, ...],
    ) -> tuple[Decision, int | None]:
        """Take one step of an event; the decision with its alert in the state, and the id of what went out.

        `before` is the event's last alert.
        """
        now, rule = self.clock.now(), standing.rule
        deed = deed_of(rule, decision)
        waited = await connection.fetchval(SQL["end_events"], standing.name, now)
        if not standing.live or deed is Deed.NOTIFY:
            state = "open" if standing.live else "seen"
            await self._record(connection, standing, decision, deed, state, among, now)
            return with_alert(decision, before), None
        try:
            async with self.database.transaction() as inner:
                return await self._write(inner, standing, decision, deed, before, among, now, waited)
        except DaohuError as error:
            _LOG.error("rule.refused", rule=standing.name, what=error.what)
            await self._record(
                connection, standing, decision, deed, "failed", among, now, fault=str(error), alert_id=before
            )
            return with_alert(decision, before), None

    async def release(self) -> int:
        """Send out what was held long enough; how many were settled. One that cannot go out holds up no other."""
        seen: list[int] = []
        settled, faults = 0, []
        while (number := await self._due(seen)) is not None:
            seen.append(number)
            try:
                settled += await self._release(number)
            except DATABASE_AWAY as fault:
                faults.append(fault)
            except Exception as fault:
                faults.append(fault)
                await self._settle(number, "failed", f"{type(fault).__name__}: {fault}")
        if faults:
            raise faults[0]
        return settled

    async def _due(self, seen: Sequence[int]) -> int | None:
        async with self.database.connection() as connection:
            found: int | None = await connection.fetchval(SQL["due_event"], self.clock.now(), list(seen))
            return found

    async def _settle(self, number: int, state: str, fault: str) -> None:
        async with self.database.connection() as connection:
            await connection.execute(SQL["settle_event"], number, state, fault[:1000], self.clock.now(), "[]")

    async def _release(self, number: int) -> int:
        """Settle one that is held, unless somebody else is just at it."""
        async with self.database.transaction() as connection:
            row = await connection.fetchrow(SQL["take_held"], number)
            if row is None:
                return 0
            now, sent, fault = self.clock.now(), False, ""
            record, why = await authoring.load(row["alert_id"]), list[Why]()
            state = _SETTLED.get(State(record.state), "")
            if not state and await drafting.calls_off_nothing(record):
                state, why = "open", [_NOTHING_LEFT]
            elif not state:
                try:
                    async with self.database.transaction() as inner:
                        await self._send_held(inner, record, row, now)
                    state, sent = "issued", True
                except DaohuError as error:
                    _LOG.error("rule.refused", rule=row["rule"], what=error.what)
                    state, fault = "failed", str(error)
            added = msgspec.json.encode(why).decode()
            await connection.execute(SQL["settle_event"], number, state, fault[:1000], now, added)
        if sent:
            await self.announce(record.id)
        return 1

    async def _send_held(self, connection: Connection, record: AlertRecord, row: Any, now: datetime) -> None:
        origin = Origin.of(row)
        if record.created_by != origin.account and record.state != State.APPROVED:
            raise RuleError(
                "倒计时期间有人改过这条预警，它不再自动发出。", remedy="请提交审核，批准后发布；不需要的话请退回。"
            )
        await drafting.rebase(record, now)
        actor = await house_actor(connection, origin.account, row["regions"], now)
        await self.send(connection, actor, record.id, origin, now)

    async def _write(
        self,
        connection: Connection,
        standing: Standing,
        decision: Decision,
        deed: Deed,
        before: int | None,
        among: tuple[Site, ...],
        now: datetime,
        waited: datetime | None,
    ) -> tuple[Decision, int | None]:
        rule, office = standing.rule, await in_force(connection, self.office)
        if decision.level is None:
            made = await drafting.all_clear(office, before, now)
            if made is None:  # nothing of the event went out: there is nothing to call off
                await self._record(connection, standing, decision, Deed.NOTIFY, "open", among, now)
                return with_alert(decision, before), None
            alert = made
        else:
            colour = decision.level.colour
            alert = await drafting.alert_of(connection, office, rule, colour, decision.why, decision.sites, among, now)
            alert = await drafting.succeeding(alert, before)
        regions = await coverage(connection, alert, office.district)
        actor = await house_actor(connection, ACCOUNT, rule.within or [office.district], now)
        origin = Origin(ACCOUNT, f"rule:{standing.name}", {"rule": standing.name, "version": standing.version})
        record = await self.write(connection, actor, alert, regions, origin, now)
        sent, state, due = None, "open", None
        if deed is Deed.ISSUE and rule.hazard in self.issuing:
            await self.send(connection, actor, record.id, origin, now)
            sent, state = record.id, "issued"
        elif deed in (Deed.HOLD, Deed.ISSUE):
            state = "held"
            due = _due((decision.level or rule.rising[-1]).held, now, waited if decision.level else None)
        await self._record(
            connection, standing, decision, deed, state, among, now, alert_id=record.id, due=due, regions=regions
        )
        return with_alert(decision, record.id), sent

    async def write(
        self,
        connection: Connection,
        actor: Actor,
        alert: Alert,
        regions: tuple[str, ...],
        origin: Origin,
        now: datetime,
    ) -> AlertRecord:
        """Keep the alert as a draft of the house's own account."""
        await require_named(connection, actor, Action.CREATE, regions)
        record = await authoring.create(self.database, alert, _author(actor), now)
        await audit.append(
            connection,
            actor.account_id,
            origin.act,
            now,
            alert_id=record.id,
            subject=origin.subject,
            detail=origin.detail,
        )
        return record

    async def send(self, connection: Connection, actor: Actor, alert_id: int, origin: Origin, now: datetime) -> None:
        """Send a draft out, in the caller's transaction."""
        record = await authoring.load(alert_id)
        regions = await coverage(connection, record.alert, self.office.district)
        await require_named(connection, actor, Action.ISSUE, regions)
        await self.issue(alert_id, _author(actor))
        await audit.append(
            connection,
            actor.account_id,
            Action.ISSUE.value,
            now,
            alert_id=alert_id,
            subject=origin.subject,
            detail={**origin.detail, "approved": False},
        )

    async def _record(
        self,
        connection: Connection,
        standing: Standing,
        decision: Decision,
        deed: Deed,
        state: str,
        among: tuple[Site, ...],
        now: datetime,
        *,
        fault: str = "",
        alert_id: int | None = None,
        due: datetime | None = None,
        regions: tuple[str, ...] = (),
    ) -> None:
        colour = decision.level.colour if decision.level else decision.state.cooled or Colour.BLUE
        places = regions or tuple(dict.fromkeys(site.region for site in (decision.sites or among)))
        await connection.fetchval(
            SQL["add_event"],
            standing.name,
            standing.version,
            standing.mode,
            decision.step.value if decision.step else Step.CLEAR.value,
            colour.value,
            deed.value,
            state,
            list(places or (self.office.district,)),
            msgspec.json.encode(decision.why).decode(),
            fault[:1000],
            alert_id,
            due,
            now,
            None,
        )


def _due(held: timedelta, now: datetime, waited: datetime | None) -> datetime:
    """When a held alert goes out: what takes the place of another that is held (until `waited`) waits no longer than
    that one would have, but for the time that a veto needs. Water that rises fast must not put off every warning."""
    due = now + held
    return due if waited is None else min(due, max(waited, now + min(held, SHORTEST_HOLD)))


async def house_actor(connection: Connection, account: str, regions: Sequence[str], now: datetime) -> Actor:
    """One of the house's own accounts, with no more rights than to write and to issue in these regions."""
    number: int = await connection.fetchval(SQL["house_account"], account, now)
    return Actor(number, account, tuple(Grant(Role.AUTHOR, region) for region in regions))


def issuing_by_rule(database: Database, clock: Clock, office: Office, open_units: OpenUnits) -> IssueByRule:
    """Issues without asking for an approval beforehand: whoever put the rule to work gave it. Red and orange alerts are
    shown as still to be approved by somebody afterwards, as those are that an officer sends out in an emergency."""
    approved = replace(office, rules=ApprovalRules(exempt=frozenset(Colour)))

    async def send(alert_id: int, by: alerts.Actor) -> AlertRecord:
        return await issue(database, clock, approved, alert_id, by, open_units)

    return send


def _author(actor: Actor) -> alerts.Actor:
    return alerts.Actor(actor.name, frozenset({alerts.Role.AUTHOR}))


def standing_of(name: str, version: int, mode: str, body: str) -> Standing:
    """A rule at work, from its rows."""
    return Standing(name, version, mode, stored(body))
