"""One run: warnings and their updates go out while a fault strikes at the moments of a schedule, then the books are
compared."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, Area
from broadcaster.database import DATABASE_AWAY
from broadcaster.demo import story
from broadcaster.demo.play import settled
from broadcaster.dispatch.delivery import RunState
from broadcaster.errors import RuleError, UnavailableError
from broadcaster.progress import progress
from tests.crash.fault import Fault
from tests.crash.judge import Issue, Strikes, judge
from tests.crash.schedule import Round, Schedule
from tests.crash.verdict import Verdict
from tests.harness.alerts import with_info
from tests.harness.officer import Officer
from tests.harness.outpost import LEASE, Outpost
from tests.harness.waiting import wait_until

BRIEF = 2.5
"""Seconds for which the alert lives that ends in the midst of the trouble."""

AWAITED = 2.0 * LEASE
"""Seconds that a strike waits for somebody to be at work: longer than it takes to take up what a killed worker held."""

PATIENCE = 180.0
"""Seconds that a round may take to settle after the last strike."""


@dataclass(slots=True)
class Ordeal:
    """A fault, an installation, and what has happened so far."""

    post: Outpost
    fault: Fault
    schedule: Schedule
    issues: list[Issue] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    kills: int = 0

    async def endure(self) -> Verdict:
        """Go through the whole schedule, wait until nothing is under way any more, and judge."""
        await self.post.calm()
        await self.fault.prepare(self.post)
        await self.post.calm()
        began = time.time()
        self.post.handed_in.clear()
        try:
            for one in self.schedule.rounds:
                await self._round(one)
        finally:
            await self.fault.relent(self.post)
        strikes = Strikes(tuple(self.moments), self.kills)
        return await judge(self.post, self.fault.name, self.issues, strikes, began, schedule=str(self.schedule))

    async def _round(self, one: Round) -> None:
        """A warning, a brief alert beside it, the strikes, and an Update in their midst."""
        officer, clock = Officer(self.post.house), self.post.house.clock
        first = story.warning("typhoon", clock.now())
        warning = await self._send(officer, first)
        await self._send_brief(officer)
        started = time.monotonic()
        async with asyncio.TaskGroup() as under_way:
            under_way.create_task(self._strike(one, started))
            await _until(started + one.update_at)
            second = story.update("typhoon", first, clock.now())
            update = await self._send(officer, second, predecessor=warning.alert_id, final=True)
        await wait_until(lambda: self._over(update), within=PATIENCE, what="the round to be settled")

    async def _send(
        self, officer: Officer, alert: Alert, *, predecessor: int | None = None, final: bool = False
    ) -> Issue:
        record = await officer.send(alert)
        issue = Issue(record.id, predecessor, record.expires_at, final)
        self.issues.append(issue)
        return issue

    async def _send_brief(self, officer: Officer) -> None:
        """A brief alert; where the machine stood still for as long as it lasts, another one."""
        brief = await self._brief()
        try:
            await self._send(officer, brief)
        except RuleError:
            if brief.expires is None or self.post.house.clock.now() < brief.expires:
                raise
            await self._send_brief(officer)

    async def _brief(self) -> Alert:
        """A warning for the largest town that soon ends by itself."""
        async with self.post.house.database.connection() as connection:
            town = await connection.fetchval(
                "SELECT left(region_code, 9) FROM household WHERE active GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
            )
        now = self.post.house.clock.now()
        alert = story.warning("rainstorm", now)
        area = Area("最大的镇", geocodes=(areas.geocode(town),))
        return with_info(replace(alert), expires=now + timedelta(seconds=BRIEF), areas=(area,))

    async def _strike(self, one: Round, started: float) -> None:
        for moment in one.strikes:
            await _until(started + moment)
            await self._at_work()
            chance = self.schedule.chance(len(self.moments))
            self.moments.append(time.time())
            self.kills += await self.fault.strike(self.post, chance)

    async def _at_work(self) -> None:
        """Wait until the carriers take something, or for some seconds: a strike that meets nobody at work proves
        nothing."""
        with contextlib.suppress(AssertionError, UnavailableError):
            before = (await self.post.rehearsal.client.total()).accepted

            async def more() -> bool:
                return (await self.post.rehearsal.client.total()).accepted > before

            await wait_until(more, within=AWAITED, what="the carriers to take something")

    async def _over(self, update: Issue) -> bool:
        """Whether the update is settled and nothing of any alert, receipt or reply is under way."""
        for worker in self.post.workers:
            if not worker.running:
                raise AssertionError(f"a worker ended by itself:\n{worker.said()[-4000:]}")
        try:
            async with self.post.house.database.connection() as connection:
                if not settled(await progress(connection, update.alert_id)):
                    return False
                quiet: bool = await connection.fetchval(
                    """
                    SELECT NOT EXISTS (SELECT 1 FROM batch WHERE state IN (1, 3))
                       AND NOT EXISTS (
                           SELECT 1 FROM batch b JOIN run r USING (alert_id) WHERE b.state = 0 AND r.state > 0)
                       AND NOT EXISTS (SELECT 1 FROM run WHERE state = $1 AND expires_at < now())
                       AND NOT EXISTS (SELECT 1 FROM response WHERE settled_at IS NULL)
                    """,
                    int(RunState.OPEN),
                )
            counts = await self.post.rehearsal.client.total()
        except (*DATABASE_AWAY, UnavailableError):
            return False
        return quiet and not counts.receipts_waiting and not counts.replies_waiting


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
