"""Sending out by itself what a source may send out: by the same hand as rules, with the same veto."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import structlog

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert, Colour, MsgType
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.composing import compose
from broadcaster.alerts.drafts import become
from broadcaster.clock import BEIJING
from broadcaster.database import Connection
from broadcaster.errors import DaohuError, RuleError
from broadcaster.intake.relaying import Passing, Relayed
from broadcaster.issuing import Office, in_force
from broadcaster.phrase import joined, phrase
from broadcaster.security.coverage import coverage
from broadcaster.triggers.acting import Hand, Origin, house_actor
from broadcaster.triggers.evaluator import Step
from broadcaster.triggers.looking import Why
from broadcaster.triggers.sql import SQL
from templates.filling import propose

_STEPS = {MsgType.UPDATE: Step.RISE, MsgType.CANCEL: Step.CLEAR}
_WHY = {
    Deed.HOLD: Why("按来源的设置，倒计时后自动发出", "Held, then sent out, as the source's settings say"),
    Deed.ISSUE: Why("按来源的设置，立即自动发出", "Sent out at once, as the source's settings say"),
}
MISSED = "它被更新取代，已撤回；更新没有自动发出，请处理收到的消息。"
"""Of what was held and is not any more, though nothing has gone out in its place."""

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Relaying:
    """The intake's `Relay`."""

    hand: Hand

    async def pass_on(self, connection: Connection, passing: Passing) -> Relayed:
        """As `Relay.pass_on`: the alert and its event are one; a fault leaves the draft, and is told of."""
        now = self.hand.clock.now()
        try:
            async with self.hand.database.transaction() as inner:
                return await self._act(inner, passing, now)
        except DaohuError as error:
            _LOG.error("source.refused", source=passing.source, message=passing.incoming, what=error.what)
            await _event(connection, passing, None, "failed", passing.draft.regions, now, fault=str(error))
            return Relayed(phrase("没有自动发出：%(fault)s", fault=error.what))

    async def withdraw(self, connection: Connection, source: str, identifiers: Sequence[str]) -> bool:
        """As `Relay.withdraw`."""
        return bool(await connection.fetch(SQL["withdraw"], source, list(identifiers), self.hand.clock.now()))

    async def miss(self, connection: Connection, source: str, identifiers: Sequence[str]) -> None:
        """As `Relay.miss`."""
        await connection.execute(SQL["miss"], source, list(identifiers), self.hand.clock.now(), MISSED)

    async def held(self, connection: Connection, identifiers: Sequence[str]) -> bool:
        """As `Relay.held`."""
        found: bool = await connection.fetchval(SQL["held_of"], list(identifiers))
        return found

    async def went_out(self, connection: Connection, source: str, alert_id: int) -> Deed | None:
        """As `Relay.went_out`."""
        deed = await connection.fetchval(SQL["went_out"], source, alert_id)
        return Deed(deed) if deed is not None else None

    async def announce(self, alert_id: int) -> None:
        """As `Relay.announce`."""
        await self.hand.announce(alert_id)

    async def _act(self, connection: Connection, passing: Passing, now: datetime) -> Relayed:
        office, draft = await in_force(connection, self.hand.office), passing.draft
        original = await authoring.load(draft.replaces) if draft.replaces is not None else None
        reading, alert = await compose(connection, draft, original, office.district, now)
        if reading.faults:
            raise RuleError("消息有误：%(faults)s。", faults=joined("；", reading.faults.values()))
        if not draft.deed.calls_off:
            alert = _completed(alert, office)
        alert = replace(alert, note=f"来源 {passing.source}：{passing.identifier}")
        if alert.rehearsal:
            raise RuleError("是演练或测试，不自动发出。", remedy="请由值班员决定。")
        regions = await coverage(connection, alert, office.district)
        origin = Origin.of_message(passing.source, passing.incoming)
        actor = await house_actor(connection, origin.account, [office.district], now)
        record = await self.hand.write(connection, actor, alert, regions, origin, now)
        await become(connection, draft.key, record.id)
        if passing.decided.deed is Deed.ISSUE:
            await self.hand.send(connection, actor, record.id, origin, now)
            await _event(connection, passing, record.id, "issued", regions, now)
            return Relayed(phrase("已自动发出，成为第 %(alert)s 条预警", alert=record.id), record.id, sent=True)
        due = now + passing.decided.hold
        await _event(connection, passing, record.id, "held", regions, now, due=due)
        at = due.astimezone(BEIJING).strftime("%H:%M")
        note = phrase("除非值班员否决，%(at)s 自动发出第 %(alert)s 条预警", at=at, alert=record.id)
        return Relayed(note, sent=True)


async def _event(
    connection: Connection,
    passing: Passing,
    alert_id: int | None,
    state: str,
    regions: Sequence[str],
    now: datetime,
    *,
    fault: str = "",
    due: datetime | None = None,
) -> None:
    headline = passing.draft.typed.get("headline", "")[:200]
    why = (
        Why(f"来源 {passing.source} 的消息：{headline}", f"Message of the source {passing.source}: {headline}"),
        _WHY[passing.decided.deed],
    )
    await connection.fetchval(
        SQL["add_event"],
        passing.source,
        0,
        "live",
        _STEPS.get(passing.msg_type, Step.RAISE).value,
        passing.draft.typed.get("colour") or Colour.BLUE.value,
        passing.decided.deed.value,
        state,
        list(regions),
        msgspec.json.encode(why).decode(),
        fault[:1000],
        alert_id,
        due,
        now,
        passing.incoming,
    )


def _completed(alert: Alert, office: Office) -> Alert:
    """With the template's words where the message has none of its own: not everybody says what is to be done."""
    proposal = propose(alert, office.issuer, office.library)
    first, *others = alert.infos
    first = replace(
        first,
        headline=first.headline or proposal.headline,
        description=first.description or proposal.description,
        instruction=first.instruction or proposal.instruction,
    )
    return replace(alert, infos=(first, *others))
