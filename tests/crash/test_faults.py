"""Whatever goes wrong, in whichever moment: nothing is lost, what goes out twice was in flight and is counted, nothing
is overtaken or sent after its end, no acknowledged reply is gone, and no account is given more than it takes.

The carriers' own books are the oracle. `--seed N` (or DAOHU_SEED) draws other moments; the ones of a failed run are
printed with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

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
from tests.crash.schedule import Schedule
from tests.crash.verdict import Verdict
from tests.harness.outpost import Plan
from tests.harness.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {Medium.SMS: (120.0, 2), Medium.WECHAT: (120.0, 2), Medium.EMAIL: (100.0, 1)}
"""Messages per second and connections."""

HOUSEHOLDS = 150

MORE_RATES = {**RATES, Medium.LOUDSPEAKER: (50.0, 1)}
MANY_HOUSEHOLDS = 400
"""Of the long form: a warning takes some four seconds."""


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_small_disk(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> AsyncIterator[tuple[Grounds, SmallDisk]]:
    """With servers by URL, the tables on a file system that can be filled; needs the right to mount one."""
    folder = tmp_path_factory.mktemp("small")
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(folder / "disk"))
        except UnavailableError as problem:
            pytest.skip(f"{problem.what} The full write-ahead log is tried all the same.")
        plan = Plan(HOUSEHOLDS, RATES, tables=disk.folder / "tables")
        grounds = Grounds(lambda: tmp_path_factory.mktemp("small"), plan, script(seed))
        yield grounds, disk
        await grounds.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def given_for_long(tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Grounds]:
    """The same as `given`, with more to send, and loudspeakers."""
    grounds = Grounds(lambda: tmp_path_factory.mktemp("given"), Plan(MANY_HOUSEHOLDS, MORE_RATES), script(seed))
    yield grounds
    await grounds.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded_for_long(tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Grounds]:
    """The same as `embedded`, with more to send."""
    plan = Plan(MANY_HOUSEHOLDS, MORE_RATES, embedded=True)
    grounds = Grounds(lambda: tmp_path_factory.mktemp("embedded"), plan, script(seed))
    yield grounds
    await grounds.leave()


FAULTS: dict[str, tuple[Callable[[], Fault], int]] = {
    "worker": (KilledWorker, 200),
    "workers": (KilledTogether, 40),
    "serve": (KilledWeb, 60),
    "carrier": (KilledCarrier, 50),
    "backend": (KilledBackend, 50),
    "postmaster": (KilledPostmaster, 30),
    "fast": (RestartedPostgres, 20),
    "immediate": (CrashedPostgres, 20),
    "cut": (CutConnections, 40),
    "read-only": (ReadOnly, 20),
    "full-log": (FullLog, 20),
    "emptied-redis": (EmptiedRedis, 40),
    "stopped-redis": (StoppedRedis, 20),
    "killed-redis": (KilledRedis, 30),
    "clock": (JumpingClock, 30),
    "twins": (Twins, 30),
    **{f"gateway-{word}": (odd, 20) for word, odd in ODD_GATEWAYS.items()},
}
"""Faults by a short word, and how often each strikes in the long form: more than 500 processes are killed together."""

EMBEDDED: dict[str, tuple[Callable[[], Fault], int]] = {
    "keeper": (KilledKeeper, 30),
    "server": (KilledEmbeddedServer, 40),
}

SHORT, LONG = 1.5, 4.0
"""Seconds after a warning within which everything strikes."""


def short(seed: int) -> Schedule:
    return Schedule.draw(seed, 1, span=SHORT)


def long(seed: int, strikes: int) -> Schedule:
    return Schedule.draw(seed, strikes, span=LONG)


@pytest.mark.parametrize("word", FAULTS)
async def test_is_survived(given: Grounds, word: str, seed: int, verdicts: list[Verdict]) -> None:
    make, _ = FAULTS[word]
    approve(await given.run(make(), short(seed)), verdicts)


@pytest.mark.parametrize("word", EMBEDDED)
async def test_is_survived_with_embedded_servers(
    embedded: Grounds, word: str, seed: int, verdicts: list[Verdict]
) -> None:
    make, _ = EMBEDDED[word]
    approve(await embedded.run(make(), short(seed)), verdicts)


async def test_a_full_disk_is_survived(
    on_small_disk: tuple[Grounds, SmallDisk], seed: int, verdicts: list[Verdict]
) -> None:
    grounds, disk = on_small_disk
    approve(await grounds.run(FullDisk(disk), short(seed)), verdicts)


@pytest.mark.soak
@pytest.mark.parametrize("word", FAULTS)
async def test_is_survived_again_and_again(
    given_for_long: Grounds, word: str, seed: int, verdicts: list[Verdict]
) -> None:
    make, strikes = FAULTS[word]
    approve(await given_for_long.run(make(), long(seed, strikes)), verdicts)


@pytest.mark.soak
@pytest.mark.parametrize("word", EMBEDDED)
async def test_is_survived_again_and_again_with_embedded_servers(
    embedded_for_long: Grounds, word: str, seed: int, verdicts: list[Verdict]
) -> None:
    make, strikes = EMBEDDED[word]
    approve(await embedded_for_long.run(make(), long(seed, strikes)), verdicts)


@pytest.mark.soak
async def test_a_full_disk_is_survived_again_and_again(
    on_small_disk: tuple[Grounds, SmallDisk], seed: int, verdicts: list[Verdict]
) -> None:
    grounds, disk = on_small_disk
    approve(await grounds.run(FullDisk(disk), long(seed, 20)), verdicts)


def approve(verdict: Verdict, verdicts: list[Verdict]) -> None:
    """Leave it for the table; nothing may be held against it."""
    verdicts.append(verdict)
    assert verdict.objections() == []
