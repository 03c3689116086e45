"""Whatever goes wrong, in whichever moment: nothing is lost, what goes out twice was in flight and is counted, nothing
is overtaken or sent after its end, no acknowledged reply is gone, and no account is given more than it takes.

The carriers' own books are the oracle. `--seed N` (or DAOHU_SEED) draws other moments; the ones of a failed run are
printed with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents, Script
from tests.crash.fault import Fault
from tests.crash.faults.carrier import KilledCarrier
from tests.crash.faults.clock import JumpingClock
from tests.crash.faults.disk import FullLog
from tests.crash.faults.embedded import KilledEmbeddedServer, KilledKeeper
from tests.crash.faults.gateway import odd_gateways
from tests.crash.faults.postgres import (
    CrashedPostgres,
    CutConnections,
    KilledBackend,
    KilledPostmaster,
    ReadOnly,
    RestartedPostgres,
)
from tests.crash.faults.redis import EmptiedRedis, KilledRedis, StoppedRedis
from tests.crash.faults.twins import Twins
from tests.crash.faults.web import KilledWeb
from tests.crash.faults.workers import KilledTogether, KilledWorker
from tests.crash.grounds import Grounds
from tests.crash.schedule import Schedule
from tests.crash.verdict import Verdict
from tests.harness.outpost import Plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {Medium.SMS: (120.0, 2), Medium.WECHAT: (120.0, 2), Medium.EMAIL: (100.0, 1)}
"""Messages per second and connections."""

HOUSEHOLDS = 150


def script(seed: int) -> Script:
    """Carriers with the usual small irregularities; people who answer quickly."""
    behaviour = Behaviour(
        answer=Delay(median=0.02, spread=0.5),
        receipt=Delay(median=0.3, spread=0.7, most=2),
        loss=0.01,
        failures={"UNDELIV": 0.02},
        duplicate=0.02,
        early=0.05,
        redeliver_after=1.5,
        duty=Duty(silent=0.1, after=Delay(median=0.5, most=1.5)),
        residents=Residents(share=0.05, after=Delay(median=0.5, most=1.5)),
    )
    return Script(seed=seed, sms=behaviour, wechat=behaviour, email=behaviour, loudspeaker=behaviour)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def given(tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Grounds]:
    """With servers by URL, as production has them."""
    grounds = Grounds(lambda: tmp_path_factory.mktemp("given"), Plan(HOUSEHOLDS, RATES), script(seed))
    yield grounds
    await grounds.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded(tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Grounds]:
    """With servers that are kept by the program itself."""
    plan = Plan(HOUSEHOLDS, RATES, embedded=True)
    grounds = Grounds(lambda: tmp_path_factory.mktemp("embedded"), plan, script(seed))
    yield grounds
    await grounds.leave()


FAULTS = [
    KilledWorker(),
    KilledTogether(),
    KilledWeb(),
    KilledCarrier(),
    KilledBackend(),
    KilledPostmaster(),
    RestartedPostgres(),
    CrashedPostgres(),
    CutConnections(),
    ReadOnly(),
    FullLog(),
    EmptiedRedis(),
    StoppedRedis(),
    KilledRedis(),
    JumpingClock(),
    Twins(),
    *odd_gateways(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_is_survived(given: Grounds, fault: Fault, seed: int, verdicts: list[Verdict]) -> None:
    verdict = await given.run(fault, Schedule.draw(seed, 1, span=1.5))
    verdicts.append(verdict)
    assert verdict.objections() == []


@pytest.mark.parametrize("fault", [KilledKeeper(), KilledEmbeddedServer()], ids=lambda fault: fault.name)
async def test_is_survived_with_embedded_servers(
    embedded: Grounds, fault: Fault, seed: int, verdicts: list[Verdict]
) -> None:
    verdict = await embedded.run(fault, Schedule.draw(seed, 1, span=1.5))
    verdicts.append(verdict)
    assert verdict.objections() == []
