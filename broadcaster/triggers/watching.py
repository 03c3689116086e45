"""Watching: every rule at work is looked at when there are new readings of its stations, and from time to time without.

One process at a time looks at a rule; its state, what it decided and the alert that it wrote are one transaction, so a
crash at any moment leaves all of it or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog

from broadcaster.database import DATABASE_AWAY, Connection
from broadcaster.errors import DaohuError
from broadcaster.triggers import drafting, window
from broadcaster.triggers.acting import Hand, Standing, standing_of
from broadcaster.triggers.evaluator import Decision, RuleState, evaluate
from broadcaster.triggers.quality import AHEAD
from broadcaster.triggers.sql import SQL

_LOG = structlog.get_logger(__name__)

IDLE = timedelta(seconds=30)
"""How often a rule is looked at while nothing comes: time passes for it as well."""

OVERLAP = timedelta(seconds=10)
"""Readings that were stored so long before the last look may have been committed after it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the rules at work."""

    hand: Hand

    async def look(self) -> int:
        """Look at each rule that is due, then send out what was held long enough; how many steps were taken."""
        now = self.hand.clock.now()
        async with self.hand.database.connection() as connection:
            names = [row["name"] for row in await connection.fetch(SQL["rules_at_work"], now)]
        steps, faults = 0, []
        for name in names:
            try:
                steps += await self._look_at(name, now)
            except Exception as fault:  # of one rule: the others are looked at all the same
                faults.append(fault)
        try:
            steps += await self.hand.release()
        except Exception as fault:
            faults.append(fault)
        if faults:
            raise faults[0]
        return steps

    async def _look_at(self, name: str, now: datetime) -> int:
        try:
            sent, steps = await self._decide(name, now)
        except DaohuError as error:
            _LOG.error("rule.refused", rule=name, what=error.what)
            await self._tell(name, str(error), now)
            return 0
        except DATABASE_AWAY:
            raise
        except Exception as fault:
            await self._tell(name, f"{type(fault).__name__}: {fault}", now)
            raise
        if sent is not None:
            await self.hand.announce(sent)
        return steps

    async def _tell(self, name: str, trouble: str, now: datetime) -> None:
        async with self.hand.database.connection() as connection:
            await connection.execute(SQL["keep_trouble"], name, trouble[:1000], now)

    async def _decide(self, name: str, now: datetime) -> tuple[int | None, int]:
        """One look at one rule; what went out, and how many steps were taken."""
        async with self.hand.database.transaction() as connection:
            row = await connection.fetchrow(SQL["hold_rule"], name)
            if row is None:
                return None, 0
            standing = standing_of(row["name"], row["version"], row["mode"], row["body"])
            among = await window.sites(connection, standing.rule)
            if not await _anything_new(connection, [site.id for site in among], row["evaluated_at"], now):
                return None, 0
            state = msgspec.json.decode(row["state"], type=RuleState)
            drill = standing.rule.drill
            if state.alert_id is not None and await drafting.across(state.alert_id, drill=drill):
                await connection.execute(SQL["end_events"], name, now)
                state = RuleState(known_at=state.known_at)
            elif state.colour is not None and await drafting.lapsed(state.alert_id, now):
                state = RuleState(known_at=state.known_at)
            decision = await _evaluated(connection, standing, among, state, now)
            sent = None
            if decision.step is not None:
                decision, sent = await self.hand.act(connection, standing, decision, state.alert_id, among)
                _LOG.info("rule.step", rule=name, step=decision.step, mode=standing.mode)
            await connection.execute(SQL["keep_state"], name, msgspec.json.encode(decision.state).decode(), now)
            return sent, int(decision.step is not None)


async def _evaluated(
    connection: Connection, standing: Standing, among: tuple[window.Site, ...], state: RuleState, now: datetime
) -> Decision:
    start = now - standing.rule.lookback
    seen = await window.windows(connection, standing.rule, among, start, now, ahead=AHEAD)
    return evaluate(standing.rule, among, seen, state, now)


async def _anything_new(connection: Connection, stations: list[int], evaluated: datetime | None, now: datetime) -> bool:
    if evaluated is None or now - evaluated >= IDLE:
        return True
    stored: datetime | None = await connection.fetchval(SQL["news"], stations)
    return stored is not None and stored > evaluated - OVERLAP
