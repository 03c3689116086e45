"""A small district for dispatch: villages in a row, households with contacts, and an alert's plan over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from audiences.selection import Selection
from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.clock import ManualClock
from broadcaster.conservation import Breach, breaches
from broadcaster.database import Connection, Database
from broadcaster.dispatch import fanout, ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Event, Release
from broadcaster.dispatch.plan import Plan
from broadcaster.ports import Medium

TOWN = "330212001"

WECHAT_SMS_VOICE = Policy(
    households=(
        ChannelStep((Medium.WECHAT,), 60),
        ChannelStep((Medium.SMS,), 120),
        ChannelStep((Medium.VOICE,), 180),
    ),
    loudspeakers=True,
    units=(),
)


class District:
    """What a test says about the district, and what it asks of it."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.plans: dict[int, Plan] = {}

    async def village(self, number: int, households: int, *, phones: int = 1, wechat: int = 1, risk: int = 100) -> str:
        """A village of `households`, each with `phones` and `wechat` contacts; returns its code."""
        code = f"{TOWN}{number:03d}"
        async with self.database.connection() as connection:
            await connection.execute(
                """
                INSERT INTO region (code, name, level, parent_code, lon, lat)
                VALUES ($1::text, $2::text, 3, $3::text, $4, 29.8)
                """,
                code,
                f"第{number}村",
                TOWN,
                121.5 + number / 100,
            )
            ids = await connection.fetch(
                """
                INSERT INTO household (external_id, region_code, name, address, lon, lat, tags, risk, active)
                SELECT $1::text || '-' || n, $1::text || '001', '', '', $3, 29.8, '{}',
                       CASE WHEN n % 10 = 0 THEN 10 ELSE $4::int END, true
                FROM generate_series(1, $2::int) n RETURNING id
                """,
                code,
                households,
                121.5 + number / 100,
                risk,
            )
            for medium, count in (("phone", phones), ("wechat", wechat)):
                await connection.execute(
                    """
                    INSERT INTO contact (household_id, medium, address, region_code, priority, active)
                    SELECT id, $2::text, $2::text || '-' || id || '-' || n, $3::text, n, true
                    FROM unnest($1::bigint[]) id, generate_series(1, $4::int) n
                    """,
                    [record["id"] for record in ids],
                    medium,
                    code + "001",
                    count,
                )
        return code

    async def issue(
        self,
        alert_id: int,
        *,
        lineage: int | None = None,
        policy: Policy = WECHAT_SMS_VOICE,
        regions: tuple[str, ...] = (TOWN,),
        urgency: int = 0,
        lasts: timedelta = timedelta(hours=6),
        connection: Connection | None = None,
    ) -> Plan:
        """Open the run of an alert whose record is somebody else's business."""
        plan = Plan(
            alert_id=alert_id,
            lineage=lineage or alert_id,
            rehearsal=True,
            urgency=urgency,
            expires_at=self.clock.now() + lasts,
            policy=policy,
            selection=Selection(regions=regions),
        )
        self.plans[alert_id] = plan
        if connection is not None:
            await fanout.open_run(connection, plan, self.clock.now())
            return plan
        async with self.database.transaction() as own:
            await fanout.open_run(own, plan, self.clock.now())
        return plan

    async def open(
        self,
        connection: Connection,
        alert_id: int,
        *,
        lineage: int,
        regions: tuple[str, ...] = (TOWN,),
        policy: Policy = WECHAT_SMS_VOICE,
    ) -> Plan:
        """The same inside the caller's transaction, as issuing a successor does."""
        return await self.issue(alert_id, lineage=lineage, regions=regions, policy=policy, connection=connection)

    async def terminal(self, village: str, number: int) -> None:
        """A loudspeaker in a village."""
        async with self.database.connection() as connection:
            await connection.execute(
                """
                INSERT INTO terminal (external_id, name, region_code, address, lon, lat, active)
                VALUES ($1::text, $1::text, $2::text, $1::text, 121.5, 29.8, true)
                """,
                f"terminal-{village}-{number}",
                village,
            )

    async def load_plan(self, alert_id: int) -> Plan:
        return self.plans[alert_id]

    async def advance(self) -> int:
        """Visit every village that is due; returns the deliveries added."""
        added = 0
        while (count := await fanout.advance(self.database, self.load_plan, self.clock.now())) is not None:
            added += count
        return added

    async def claim(self, channel: str, limit: int = 100, lease: float = 60) -> list[Batch]:
        """Lease what is ready on a channel, as the worker `w`."""
        async with self.database.connection() as connection:
            return await ledger.claim(
                connection,
                channel=channel,
                rehearsal=True,
                now=self.clock.now(),
                limit=limit,
                rows=1_000_000,
                worker="w",
                lease=lease,
            )

    async def settle(self, batches: Sequence[Batch], state: DeliveryState) -> list[Event]:
        """Every delivery of `batches` ends as `state`, the batches are given back, and the log is folded."""
        events: list[Event] = []
        async with self.database.connection() as connection:
            found = await ledger.claimed_rows(connection, batches)
        for batch, rows in zip(batches, found, strict=True):
            events += [
                Event(batch.alert_id, row.ordinal, batch.claims, int(state), 1, None, None, self.clock.now())
                for row in rows
            ]
        releases = [Release(batch, self.clock.now()) for batch in batches]
        await ledger.write(self.database, "w", events, releases=releases)
        await ledger.fold(self.database, self.clock.now())
        return events

    async def say(self, news: Sequence[tuple[int, int, DeliveryState]], *, alert_id: int) -> None:
        """(ordinal, attempt, state) are written down and folded."""
        now = self.clock.now()
        events = [Event(alert_id, n, attempt, int(state), 1, None, None, now) for n, attempt, state in news]
        await ledger.write(self.database, "w", events)
        await ledger.fold(self.database, now)

    async def breaches(self, alert_id: int) -> list[Breach]:
        """Sums that do not hold."""
        async with self.database.connection() as connection:
            return await breaches(connection, alert_id)

    async def states(self, alert_id: int) -> dict[int, int]:
        """Deliveries by state code, as stored."""
        async with self.database.connection() as connection:
            return await states(connection, alert_id)


async def states(connection: Connection, alert_id: int) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT state, count(*)::int AS n FROM delivery WHERE alert_id = $1 GROUP BY state", alert_id
    )
    return {row["state"]: row["n"] for row in rows}
