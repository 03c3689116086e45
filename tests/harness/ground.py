"""A proving ground: an installation of its own with any number of households, a head in each village, a carrier in a
process of its own whose record is the oracle, and workers as processes that come and go.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import msgspec

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.alerts import authoring, form
from broadcaster.alerts.authoring import new_identifier
from broadcaster.alerts.records import AlertRecord
from broadcaster.bench import roster
from broadcaster.demo.play import APPROVER, OFFICER
from broadcaster.house import House, open_house
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.progress import Progress, progress
from broadcaster.rehearsal.oracle import Report, Taken
from broadcaster.rehearsal.process import LINE, RehearsalProcess
from broadcaster.rehearsal.script import (
    Behaviour,
    CarrierFront,
    Delay,
    Duty,
    Fronts,
    MailFront,
    OfficialFront,
    Residents,
    Script,
    SipFront,
    TerminalsFront,
    WecomFront,
)
from broadcaster.settings import load_settings
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until

VILLAGES = 500
TOWN = f"{DISTRICT_CODE}001"

ANSWER = 0.02
"""Seconds that the carrier takes to answer."""

HEADS = """
WITH village AS (
    SELECT code, row_number() OVER (ORDER BY code) AS n FROM region WHERE level = 3
), head AS (
    INSERT INTO person (external_id, name, language)
    SELECT 'head-' || code, '书记' || n, 'zh-CN' FROM village
    RETURNING id, external_id
), reached AS (
    INSERT INTO contact (person_id, medium, address, region_code, priority, active)
    SELECT head.id, m.medium, m.prefix || to_char(v.n, 'FM00000000'), '', 0, true
    FROM village v
    JOIN head ON head.external_id = 'head-' || v.code
    CROSS JOIN (VALUES ('phone', '137'), ('wechat', 'head-')) m(medium, prefix)
)
INSERT INTO duty (person_id, region_code, role, rank, valid_from)
SELECT head.id, v.code, 'village_head', 'primary', '2020-01-01T00:00:00Z'
FROM village v JOIN head ON head.external_id = 'head-' || v.code
"""
"""A head with a phone and WeChat for every village."""


TERMINALS = """
INSERT INTO terminal (external_id, name, region_code, address)
SELECT code, '喇叭' || n,
       (SELECT v.code FROM region v WHERE v.level = 3 ORDER BY v.code OFFSET (n - 1) % 500 LIMIT 1), code
FROM unnest($1::text[]) WITH ORDINALITY t(code, n)
"""
"""Loudspeakers with these codes, in the villages in turn."""


NO_OTHERS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Ground:
    """`house` is this test's own door to the installation; the work is done by `workers`."""

    folder: Path
    house: House
    carrier: RehearsalProcess
    workers: list[DaohuProcess] = field(default_factory=list)
    started: int = 0

    async def hire(self, count: int = 1) -> None:
        """Start workers and wait until they work and hold connections."""
        hired = []
        for _ in range(count):
            self.started += 1
            hired.append(DaohuProcess("worker", folder=self.folder, name=f"worker-{self.started}").start())
        self.workers += hired
        for worker in hired:
            await asyncio.to_thread(worker.wait_for_log, "worker.started", within=60)

    async def connected(self) -> None:
        """Wait until every connection of every gateway is held."""

        async def all_held() -> bool:
            async with self.house.database.connection() as connection:
                held: bool = await connection.fetchval(
                    "SELECT count(*) > 0 AND bool_and(owner IS NOT NULL) FROM gateway_slot"
                )
                return held

        await wait_until(all_held, what="every connection to be held")

    async def kill(self) -> None:
        """SIGKILL the oldest worker."""
        await asyncio.to_thread(self.workers.pop(0).kill)

    async def draft(
        self, colour: str, regions: Sequence[str], *, to_heads: bool = False, words: Mapping[str, str] = NO_OTHERS
    ) -> AlertRecord:
        """A drill's alert that is approved and only waits to be issued; `to_heads` is for people on duty alone. `words`
        are the alert's where they are to be others."""
        house, now = self.house, self.house.clock.now()
        body = {
            "hazard": "typhoon",
            "kind": "mobilization" if to_heads else "warning",
            "scope": "Restricted" if to_heads else "Public",
            "colour": colour,
            "status": "Exercise",
            "headline": f"{DISTRICT_NAME}发布台风预警",
            "description": "预计未来6小时内将受台风影响。",
            "instruction": "请立即转移到安全地带。",
            "regions": list(regions),
            "sender_name": f"{DISTRICT_NAME}应急管理局",
            "sent": now,
            "expires": now + timedelta(hours=6),
            **words,
        }
        identifier = new_identifier(DISTRICT_CODE, now)
        alert = form.decode(msgspec.json.encode(body), now=now, sender="load@example.gov.cn", identifier=identifier)
        rules = house.office.rules
        record = await authoring.create(house.database, alert, OFFICER, now)
        record = await authoring.submit(house.database, record.id, OFFICER, now, rules=rules)
        if record.state == "in_review":
            record = await authoring.approve(
                house.database, record.id, APPROVER, now, version=record.version, rules=rules
            )
        return record

    async def issue(self, record: AlertRecord) -> float:
        """Press the button; the moment at which it was pressed, in Unix seconds."""
        pressed = time.time()
        issued = await self.house.issue(record.id, APPROVER)
        await self.house.announce(issued.id)
        return pressed

    async def send(
        self, colour: str, regions: Sequence[str], *, to_heads: bool = False, words: Mapping[str, str] = NO_OTHERS
    ) -> Sent:
        record = await self.draft(colour, regions, to_heads=to_heads, words=words)
        return Sent(record.id, await self.issue(record))

    async def progress(self, alert_id: int) -> Progress:
        async with self.house.database.connection() as connection:
            return await progress(connection, alert_id)

    async def taken(self, alert_id: int, count: int, *, within: float = 120.0) -> None:
        """Wait until the carrier has taken `count` messages of an alert: by the ledger's counts, which come later."""

        async def enough() -> bool:
            states = (await self.progress(alert_id)).deliveries
            return states["submitted"] + states["delivered"] + states["failed"] >= count

        await wait_until(enough, within=within, what=f"{count} messages of alert {alert_id} to be taken")

    async def report(self) -> Report:
        return await asyncio.to_thread(self.carrier.report)


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert, and when its button was pressed (Unix seconds)."""

    id: int
    pressed: float


def village(number: int) -> str:
    """The code of one of the 500 villages, from 0."""
    return f"{DISTRICT_CODE}{number // 20 + 1:03d}{number % 20 + 1:03d}"


@asynccontextmanager
async def ground(
    folder: Path,
    *,
    households: int,
    rates: Mapping[Medium, tuple[float, int]],
    policies: str,
    drivers: Mapping[Medium, str] = MappingProxyType({}),
    texts_kept: int = 0,
    answer: float = ANSWER,
    receipt: float = 0.2,
    sweep: float = 1.0,
    lease: float = 15.0,
    voice: Behaviour | None = None,
    exchange: SipFront | None = None,
    terminals: TerminalsFront | None = None,
    play: float = 0.0,
    options: Mapping[Medium, Mapping[str, object]] = MappingProxyType({}),
) -> AsyncIterator[Ground]:
    """Set it up; everything in it ends with the block. `rates`: messages/s and connections of each channel; `drivers`
    those that speak to a front of the carrier, where it is not the line; `options` of the gateways; `voice` how those
    behave who are called, over `exchange` where that is the driver. `terminals` are in the roster too; `play` is the
    share of a sound's length that they take."""
    behaviour = Behaviour(
        answer=Delay(median=answer),
        receipt=Delay(median=receipt),
        residents=Residents(share=0),
        duty=Duty(silent=1),
    )
    fronts = Fronts(
        cmpp=CarrierFront(), smpp=CarrierFront(), smtp=MailFront(), official=OfficialFront(), wecom=WecomFront(),
        sip=exchange, terminals=terminals,
    )  # fmt: skip
    script = Script(
        seed=1, texts_kept=texts_kept, sms=behaviour, wechat=behaviour, email=behaviour, voice=voice or Behaviour(),
        loudspeaker=msgspec.structs.replace(behaviour, play=play), fronts=fronts,
    )  # fmt: skip
    async with RehearsalProcess(folder / "carrier", script) as carrier:
        gateways = "".join(
            table(
                carrier.gateway(
                    medium,
                    rate=rate,
                    slots=slots,
                    name=str(medium),
                    driver=drivers.get(medium, LINE),
                    **options.get(medium, {}),
                )
            )
            for medium, (rate, slots) in rates.items()
        )
        (folder / "daohu.toml").write_text(
            f'[data]\ndir = "{folder / "data"}"\n[district]\ncode = "{DISTRICT_CODE}"\nname = "{DISTRICT_NAME}"\n'
            f"[worker]\nsweep = {sweep}\nlease = {lease}\n{policies}{gateways}",
            encoding="utf-8",
        )
        async with open_house(load_settings(folder / "daohu.toml", environment={}), application="daohu-test") as house:
            await roster.fill(house.database, households)
            async with house.database.connection() as connection:
                await connection.execute(HEADS)
                await connection.execute(TERMINALS, list(terminals.codes if terminals is not None else ()))
                await connection.execute("VACUUM ANALYZE person, contact, duty")
            made = Ground(folder, house, carrier)
            try:
                yield made
            finally:
                for worker in made.workers:
                    await asyncio.to_thread(worker.kill)


def table(gateway: GatewaySettings) -> str:
    """A gateway's table in the settings."""
    options = "".join(f"{key} = {_toml(value)}\n" for key, value in gateway.options.items())
    return (
        f'[[gateways]]\nname = "{gateway.name}"\nchannel = "{gateway.channel}"\ndriver = "{gateway.driver}"\n'
        f"rate = {gateway.rate}\nslots = {gateway.slots}\nrehearsal = true\n{options}"
    )


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_toml(one)}' for key, one in value.items())} }}"
    return json.dumps(value)


def by_alert(report: Report) -> dict[int, list[Taken]]:
    """What the carrier took of each alert, in its order."""
    found: defaultdict[int, list[Taken]] = defaultdict(list)
    for one in report.taken:
        found[one.alert].append(one)
    return found


def first_attempts(report: Report, alert_id: int) -> dict[str, float]:
    """When each address was first sent something of an alert."""
    found: dict[str, float] = {}
    for one in report.taken:
        if one.alert == alert_id:
            found.setdefault(one.address, one.at)
    return found


def row(name: str, values: Sequence[float]) -> str:
    """One line of a Markdown table: how many, median, 99th percentile, maximum; seconds."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return f"| {name} | {len(ordered):,} | {at(0.5):.3f} | {at(0.99):.3f} | {ordered[-1]:.3f} |"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
