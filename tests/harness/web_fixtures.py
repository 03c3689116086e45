"""The web application over a real database with a small district."""

from __future__ import annotations

from typing import Any

import pytest

from adapters import cap
from broadcaster import adapters, issuing
from broadcaster.alerts.actor import Actor as Author
from broadcaster.alerts.records import AlertRecord
from broadcaster.capacity.planner import Planner
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch.texts import Texts
from broadcaster.doorbell import WORK
from broadcaster.escalation.units import open_units
from broadcaster.intake.settling import Intake
from broadcaster.issuing import Office, Plans
from broadcaster.registry import Registry
from broadcaster.responses.tokens import Tokens
from broadcaster.security.second_factor import SecondFactor
from broadcaster.settings import Settings, settings_from
from broadcaster.web.app import build_app
from broadcaster.web.context import Context
from broadcaster.web.live import UNHURRIED, Pace
from broadcaster.webhooks.subscribers import Secrets
from templates.issuer import Issuer
from tests.harness.web import DISTRICT, OTHER_TOWN, TOWN, Bells, Make, Silence, Web


@pytest.fixture
def settings() -> Settings:
    return settings_from(
        {"district": {"code": DISTRICT, "name": "鄞州区"}, "web": {"public_url": "http://127.0.0.1:8480"}}
    )


@pytest.fixture
async def district(database: Database) -> Database:
    """Two towns of two villages with three households each; the village heads have phones."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO region (code, name, level, parent_code, lon, lat) VALUES ($1, '鄞州区', 1, NULL, 121.5, 29.8)",
            DISTRICT,
        )
        for place, town in enumerate((TOWN, OTHER_TOWN)):
            await _region(connection, town, f"第{place + 1}镇", 2, DISTRICT)
            for village in (f"{town}001", f"{town}002"):
                await _region(connection, village, f"{village[-4:]}村", 3, town)
                await _region(connection, f"{village}001", "一网格", 4, village)
                await _households(connection, village, 121.5 + place)
    return database


async def _region(connection: Any, code: str, name: str, level: int, parent: str) -> None:
    await connection.execute(
        "INSERT INTO region (code, name, level, parent_code, lon, lat) VALUES ($1, $2, $3, $4, 121.5, 29.8)",
        code,
        name,
        level,
        parent,
    )


async def _households(connection: Any, village: str, lon: float) -> None:
    for number in (1, 2, 3):
        household = await connection.fetchval(
            "INSERT INTO household (external_id, region_code, name, address, lon, lat, tags, risk, active)"
            " VALUES ($1, $2, $3, $4, $5, 29.8, '{独居}', 10, true) RETURNING id",
            f"{village}-{number}",
            f"{village}001",
            f"户{village[-4:]}-{number}",
            f"中心路{number}号",
            lon,
        )
        await connection.execute(
            "INSERT INTO contact (household_id, medium, address, region_code, priority, active)"
            " VALUES ($1, 'phone', $2, $3, 0, true)",
            household,
            f"+8613{village[-5:]}{number:04d}",
            f"{village}001",
        )
    person = await connection.fetchval(
        "INSERT INTO person (external_id, name, language) VALUES ($1, $2, 'zh-CN') RETURNING id",
        f"head-{village}",
        f"书记{village[-4:]}",
    )
    await connection.execute(
        "INSERT INTO contact (person_id, medium, address, region_code, priority, active)"
        " VALUES ($1, 'phone', $2, $3, 0, true)",
        person,
        f"+8615{village[-5:]}0000",
        village,
    )
    await connection.execute(
        "INSERT INTO duty (person_id, region_code, role, rank, valid_from)"
        " VALUES ($1, $2, 'village_head', 'primary', '2020-01-01T00:00:00Z')",
        person,
        village,
    )


@pytest.fixture
def bells() -> Bells:
    return Bells()


@pytest.fixture
def context(district: Database, clock: ManualClock, settings: Settings, bells: Bells) -> Context:
    office = Office(
        DISTRICT,
        Issuer("鄞州区应急管理局", "鄞州区"),
        lambda colour: settings.policy(colour.value),
        settings.approval.rules,
    )

    async def issue(alert_id: int, by: Author) -> AlertRecord:
        return await issuing.issue(district, clock, office, alert_id, by, open_units)

    async def announce(_alert_id: int) -> None:
        await bells.ring(WORK)

    texts = Texts(district)
    abilities = Registry.installed().capabilities
    planner = Planner(district, clock, office, texts, settings.gateways, abilities)
    tokens, factor = Tokens(b"a secret of the tests"), SecondFactor(b"a secret of the tests")
    return Context(
        district,
        clock,
        settings,
        bells,
        issue,
        announce,
        tokens,
        factor,
        planner.outlook,
        planner.outlook_of,
        office,
        abilities,
        Silence(),
        intake_of(district, clock, settings),
        Secrets(b"a secret of the tests"),
        cap=cap,
    )


def intake_of(database: Database, clock: ManualClock, settings: Settings) -> Intake:
    """What judges the messages of the sources in the settings."""
    built = adapters.sources(settings.sources)
    known = {one.name: (one, built[one.name]) for one in settings.sources}
    return Intake(database, clock, known, settings.district.code, settings.district.name)


@pytest.fixture
async def make_web(aiohttp_client: Any, clock: ManualClock, bells: Bells) -> Make:
    """Makes the application from a context, at a pace that needs no waiting."""

    async def make(context: Context, pace: Pace = UNHURRIED) -> Web:
        client = await aiohttp_client(build_app(context, pace=pace))
        return Web(client, context, clock, bells, Plans(DISTRICT))

    return make


@pytest.fixture
async def web(make_web: Make, context: Context) -> Web:
    return await make_web(context)
