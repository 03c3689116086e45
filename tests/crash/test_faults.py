"""Whatever goes wrong, in whichever moment: nothing is lost, what goes out twice was in flight and is counted, nothing
is overtaken or sent after its end, no acknowledged reply is gone, and no account is given more than it takes.

The carriers' own books are the oracle. `--seed N` (or DAOHU_SEED) draws other moments; those of a failed trial are
printed with it. `--strikes N` (or DAOHU_STRIKES) changes how often the long form strikes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from broadcaster.errors import UnavailableError
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents, Script
from tests.crash.fault import Fault
from tests.crash.faults.carrier import KilledCarrier
from tests.crash.faults.clock import JumpingClock
from tests.crash.faults.disk import FullDisk, FullLog
from tests.crash.faults.embedded import KilledEmbeddedServer, KilledKeeper
from tests.crash.faults.gateway import ODD_GATEWAYS
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
from tests.crash.programme import Programme, Trial
from tests.crash.schedule import Schedule
from tests.crash.verdict import Verdict
from tests.harness.outpost import Plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {Medium.SMS: (120.0, 2), Medium.WECHAT: (120.0, 2), Medium.EMAIL: (100.0, 1)}
"""Messages per second and connections."""

PLAN = Plan(households=150, rates=RATES)
LONG_PLAN = Plan(households=400, rates={**RATES, Medium.LOUDSPEAKER: (50.0, 1)})
"""Of the short and the long form: some 350 and 1,000 messages of a warning."""

SPAN, LONG_SPAN = 1.5, 4.0
"""Seconds after a warning within which everything strikes."""

FAULTS: dict[str, tuple[Callable[[], Fault], str, int]] = {
    "worker": (KilledWorker, "first", 200),
    "workers": (KilledTogether, "first", 40),
    "twins": (Twins, "first", 30),
    "clock": (JumpingClock, "first", 30),
    "emptied-redis": (EmptiedRedis, "first", 40),
    "stopped-redis": (StoppedRedis, "first", 20),
    "killed-redis": (KilledRedis, "first", 30),
    "serve": (KilledWeb, "second", 60),
    "carrier": (KilledCarrier, "second", 50),
    **{f"gateway-{word}": (odd, "second", 20) for word, odd in ODD_GATEWAYS.items()},
    "backend": (KilledBackend, "third", 50),
    "postmaster": (KilledPostmaster, "third", 30),
    "restarted": (RestartedPostgres, "third", 20),
    "immediate": (CrashedPostgres, "third", 20),
    "connections": (CutConnections, "third", 40),
    "read-only": (ReadOnly, "third", 20),
    "full-log": (FullLog, "third", 20),
    "keeper": (KilledKeeper, "embedded", 30),
    "server": (KilledEmbeddedServer, "embedded", 40),
    "full-disk": (FullDisk, "small disk", 20),
}
"""Faults by a word, the installation on which each is tried, and how often it strikes in the long form: more than 500
processes are killed together."""


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


def chosen(request: pytest.FixtureRequest, test: str) -> list[str]:
    """The words with which `test` will be called."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == test]
    return [str(item.callspec.params["word"]) for item in items]


def grounds(paths: pytest.TempPathFactory, plan: Plan, seed: int, lane: str) -> Grounds:
    return Grounds(lambda: paths.mktemp("post"), plan.on(lane), script(seed))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def short_form(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> AsyncIterator[Programme]:
    """One strike each."""
    programme = Programme(lambda lane: grounds(tmp_path_factory, PLAN, seed, lane))
    words = chosen(request, test_is_survived.__name__)
    programme.begin(Trial(word, FAULTS[word][0], Schedule.draw(seed, 1, span=SPAN), FAULTS[word][1]) for word in words)
    yield programme
    await programme.end()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def long_form(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> AsyncIterator[Programme]:
    """Strike after strike, warning after warning."""
    programme = Programme(lambda lane: grounds(tmp_path_factory, LONG_PLAN, seed, lane))
    words = chosen(request, test_is_survived_again_and_again.__name__)
    given: int | None = request.config.getoption("--strikes")
    programme.begin(
        Trial(word, FAULTS[word][0], Schedule.draw(seed, given or FAULTS[word][2], span=LONG_SPAN), FAULTS[word][1])
        for word in words
    )
    yield programme
    await programme.end()


@pytest.mark.parametrize("word", FAULTS)
async def test_is_survived(short_form: Programme, word: str, verdicts: list[Verdict]) -> None:
    await approve(short_form, word, verdicts)


@pytest.mark.soak
@pytest.mark.parametrize("word", FAULTS)
async def test_is_survived_again_and_again(long_form: Programme, word: str, verdicts: list[Verdict]) -> None:
    await approve(long_form, word, verdicts)


async def approve(programme: Programme, word: str, verdicts: list[Verdict]) -> None:
    """Leave the verdict for the table; nothing may be held against it."""
    try:
        verdict = await programme.verdict(word)
    except UnavailableError as problem:
        if word == "full-disk":
            pytest.skip(f"{problem.what} The full write-ahead log is tried all the same.")
        raise
    verdicts.append(verdict)
    assert verdict.objections() == [], f"{word}, {verdict.schedule}"
