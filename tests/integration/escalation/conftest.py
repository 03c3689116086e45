"""A small county for responses and escalation: people on duty, alerts that ask them, and replies that come back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from audiences.selection import Selection
from broadcaster.alerts.policy import ChannelStep, EscalationAction, EscalationStep, Policy
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch import fanout, ledger
from broadcaster.dispatch.ledger import Event
from broadcaster.dispatch.plan import Plan
from broadcaster.escalation import tick
from broadcaster.escalation.settlement import settle_stored
from broadcaster.escalation.units import open_units
from broadcaster.ports import DeliveryKey, Medium, Reply
from broadcaster.responses import inbox

COUNTY = "330212"
TOWN = "330212001"
VILLAGE = "330212001201"

SMS, WECHAT, VOICE = Medium.SMS, Medium.WECHAT, Medium.VOICE

LADDER = (
    EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS, WECHAT)),
    EscalationStep(120, EscalationAction.NOTIFY_PRIMARY, (VOICE,)),
    EscalationStep(120, EscalationAction.NOTIFY_DEPUTY, (SMS, VOICE)),
    EscalationStep(180, EscalationAction.NOTIFY_SUPERIOR, (SMS, VOICE)),
    EscalationStep(120, EscalationAction.DUTY_DESK),
    EscalationStep(60, EscalationAction.DOOR_TASKS),
)
SILENCE = sum(step.after for step in LADDER)
"""Seconds from issue to the last step."""


def policy(*steps: EscalationStep, roles: tuple[str, ...] = ("village_head",)) -> Policy:
    return Policy(households=(), loudspeakers=False, units=steps or LADDER, unit_roles=roles)


@dataclass(frozen=True)
class Who:
    """A person and the phone that stands for them."""

    id: int
    phone: str


class County:
    """What a test says about the county, and what it asks of it."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.plans: dict[int, Plan] = {}
        self._numbers = itertools.count(1)

    async def fetch(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return [dict(record) for record in await connection.fetch(query, *values)]

    async def value(self, query: str, *values: object) -> Any:
        async with self.database.connection() as connection:
            return await connection.fetchval(query, *values)

    async def region(self, code: str, name: str = "") -> str:
        level = (len(code) - 3) // 3
        await self.value(
            "INSERT INTO region (code, name, level, lon, lat) VALUES ($1, $2, $3, 121.5, 29.8)",
            code,
            name or f"地方{code[-3:]}",
            level,
        )
        return code

    async def person(self, *, home: int | None = None, contacts: tuple[str, ...] = ("phone",)) -> Who:
        number = next(self._numbers)
        phone = f"138{number:08d}"
        person: int = await self.value(
            "INSERT INTO person (external_id, household_id, name) VALUES ($1, $2, $3) RETURNING id",
            f"p{number}",
            home,
            f"某{number}",
        )
        for medium in contacts:
            await self.value(
                "INSERT INTO contact (person_id, medium, address) VALUES ($1, $2, $3)",
                person,
                medium,
                phone if medium == "phone" else f"{medium}-{number}",
            )
        return Who(person, phone)

    async def duty(
        self,
        who: Who,
        region: str,
        role: str = "village_head",
        rank: str = "primary",
        *,
        since: timedelta = timedelta(days=-1),
        until: timedelta | None = None,
    ) -> Who:
        now = self.clock.now()
        await self.value(
            "INSERT INTO duty (person_id, region_code, role, rank, valid_from, valid_to)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            who.id,
            region,
            role,
            rank,
            now + since,
            None if until is None else now + until,
        )
        return who

    async def village(self, code: str = VILLAGE) -> tuple[Who, Who]:
        """A village with a head and a deputy."""
        await self.region(code)
        head = await self.duty(await self.person(contacts=("phone", "wechat")), code)
        deputy = await self.duty(await self.person(), code, rank="deputy")
        return head, deputy

    async def superiors(self) -> tuple[Who, Who]:
        """The town's leader and the county's duty desk."""
        leader = await self.duty(await self.person(), TOWN, "town_leader")
        desk = await self.duty(await self.person(), COUNTY, "duty_desk")
        return leader, desk

    async def household(self, region: str = f"{VILLAGE}001", phone: str = "") -> tuple[int, str]:
        """A household with one phone; its id and that phone."""
        number = next(self._numbers)
        phone = phone or f"139{number:08d}"
        household: int = await self.value(
            "INSERT INTO household (external_id, region_code, lon, lat) VALUES ($1, $2, 121.5, 29.8) RETURNING id",
            f"h{number}",
            region,
        )
        await self.value(
            "INSERT INTO contact (household_id, medium, address, region_code) VALUES ($1, 'phone', $2, $3)",
            household,
            phone,
            region,
        )
        return household, phone

    async def issue(
        self,
        alert_id: int,
        *,
        code: str | None = None,
        steps: Policy | None = None,
        regions: tuple[str, ...] = (COUNTY,),
        selection: Selection | None = None,
        lineage: int | None = None,
        rehearsal: bool = True,
        households: bool = False,
        lasts: timedelta = timedelta(hours=6),
    ) -> Plan:
        """An alert's record, its run and its units, as issuing makes them."""
        now = self.clock.now()
        plan = Plan(
            alert_id=alert_id,
            lineage=lineage or alert_id,
            rehearsal=rehearsal,
            urgency=0,
            expires_at=now + lasts,
            policy=replace(steps or policy(), households=(ChannelStep((SMS,), 600),) if households else ()),
            selection=selection or Selection(regions=regions),
        )
        self.plans[alert_id] = plan
        async with self.database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO alert (id, identifier, sender, lineage, state, kind, status, msg_type, hazard, headline,
                                   document, reply_code, created_by, created_at, updated_at, sent_at, issued_at,
                                   expires_at, version)
                VALUES ($1, $2, 's', $3, 'issued', 'mobilization', $4, 'Alert', 'typhoon', $5,
                        '{}', $6, 'a', $7, $7, $7, $7, $8, 1)
                """,
                alert_id,
                f"alert-{alert_id}",
                f"alert-{plan.lineage}",
                "Exercise" if rehearsal else "Actual",
                f"第{alert_id}号动员令",
                code,
                now,
                plan.expires_at,
            )
            await fanout.open_run(connection, plan, now)
            await open_units(connection, plan, now)
        if households:
            while await fanout.advance(self.database, self.load_plan, now) is not None:
                pass
        return plan

    async def load_plan(self, alert_id: int) -> Plan:
        return self.plans[alert_id]

    async def tick(self) -> int:
        """Everything that is due now; returns how many units took a step."""
        taken = 0
        while found := await tick.tick(self.database, self.load_plan, self.clock.now()):
            taken += found
        return taken

    async def later(self, seconds: float) -> int:
        """Turn the clock and let escalation look."""
        self.clock.advance(seconds)
        return await self.tick()

    async def silence(self, seconds: float = SILENCE) -> None:
        """Let time pass in steps of ten seconds, ticking all the while."""
        await self.tick()
        for _ in range(int(seconds // 10)):
            await self.later(10)

    async def reply(
        self,
        who: Who | str,
        text: str = "1",
        channel: Medium = SMS,
        *,
        gateway: str = "g",
        rehearsal: bool | None = True,
        name: str = "",
        key: DeliveryKey | None = None,
        told: bool = True,
    ) -> None:
        """A reply arrives, is kept and settled; unless not `told`, gateways have taken all messages to who replies."""
        if told:
            await self.tell(who)
        await self.keep(who, text, channel, gateway=gateway, rehearsal=rehearsal, name=name, key=key)
        await self.settle()

    async def tell(self, who: Who | str, *, later: float = 0) -> None:
        """Gateways take whatever waits to be sent to somebody, `later` seconds from now."""
        address = who if isinstance(who, str) else who.phone
        waiting = await self.fetch(
            """
            SELECT d.alert_id, d.ordinal FROM delivery d JOIN contact c ON c.id = d.contact_id
            WHERE d.state = 0 AND EXISTS (
                SELECT 1 FROM contact a
                WHERE a.address = $1 AND (a.person_id = c.person_id OR a.household_id = c.household_id))
            """,
            address,
        )
        at = self.clock.now() + timedelta(seconds=later)
        news = [Event(row["alert_id"], row["ordinal"], 1, 4, 1, None, None, at) for row in waiting]
        if news:
            await ledger.write(self.database, "w", news)
            await ledger.fold(self.database, at)

    async def keep(
        self,
        who: Who | str,
        text: str = "1",
        channel: Medium = SMS,
        *,
        gateway: str = "g",
        rehearsal: bool | None = True,
        name: str = "",
        key: DeliveryKey | None = None,
    ) -> None:
        """A reply arrives and is kept, and no more."""
        address = who if isinstance(who, str) else who.phone
        item = Reply(name or f"r{next(self._numbers)}", address, text, self.clock.now(), key)
        await inbox.keep(self.database, gateway, channel, [item], self.clock.now(), rehearsal=rehearsal)

    async def settle(self) -> None:
        while await settle_stored(self.database, self.clock.now()):
            pass

    async def unit(self, alert_id: int = 1, region: str = VILLAGE) -> dict[str, Any]:
        rows = await self.fetch("SELECT * FROM unit WHERE alert_id = $1 AND region = $2", alert_id, region)
        return rows[0]

    async def response(self) -> dict[str, Any]:
        """The last one."""
        return (await self.fetch("SELECT * FROM response ORDER BY id DESC LIMIT 1"))[0]

    async def actions(self, unit_id: int) -> list[str]:
        rows = await self.fetch("SELECT action FROM escalation_log WHERE unit_id = $1 ORDER BY id", unit_id)
        return [row["action"] for row in rows]

    async def messages(self, unit_id: int) -> list[tuple[str, str, int]]:
        """(channel, address, state) of every message to a unit, in the order in which they were written."""
        rows = await self.fetch(
            """
            SELECT b.channel, d.address, d.state
            FROM delivery d JOIN batch b ON b.alert_id = d.alert_id AND b.first = d.batch
            WHERE d.unit_id = $1 ORDER BY d.alert_id, d.ordinal
            """,
            unit_id,
        )
        return [(row["channel"], row["address"], row["state"]) for row in rows]


@pytest.fixture
def county(database: Database, clock: ManualClock) -> County:
    return County(database, clock)


def moment(clock: ManualClock, seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
