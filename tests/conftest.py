"""What every test may ask for: real PostgreSQL, real Valkey, a clock that is turned by hand.

The servers are the embedded ones, in a private folder, unless `DAOHU_TEST_DATABASE_URL` (a database whose user may
create databases) or `DAOHU_TEST_REDIS_URL` (a database number that may be emptied) name others.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
import redis
from argon2 import PasswordHasher, profiles
from hypothesis import HealthCheck, settings

from broadcaster.clock import ManualClock
from broadcaster.database import Database, create_database, with_database
from broadcaster.embedded import EmbeddedServers, Endpoints
from broadcaster.migrating import migrate_database
from broadcaster.security import passwords
from tests.fuzz.table import pytest_terminal_summary  # noqa: F401 (a hook, wherever the trials ran)
from tests.harness.loops import cut_at_the_end

Result = TypeVar("Result")

# A loaded machine makes inputs slowly; that is no fault of what is tested.
settings.register_profile("daohu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("daohu")
cut_at_the_end()

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed",
        type=int,
        default=int(os.environ.get("DAOHU_SEED", "1")),
        help="what the crash tests' schedules are drawn from (or DAOHU_SEED)",
    )
    strikes = os.environ.get("DAOHU_STRIKES")
    parser.addoption(
        "--strikes",
        type=int,
        default=int(strikes) if strikes else None,
        help="how often each fault strikes in the crash tests' long form (or DAOHU_STRIKES)",
    )


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords that are hashed in the tests' own process cost next to nothing: a fifth of a second of CPU for every
    account of every test would say nothing. Processes that tests start, and `costly_passwords`, pay the price."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(profiles.CHEAPEST))
        yield


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost what they cost an attacker."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(passwords.COST))


@pytest.fixture(scope="session")
def embedded() -> Iterator[Endpoints]:
    """Both embedded servers, for this test run alone; the folder's name is short because sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="daohu-test-", dir=_quick_folder()))
    servers = EmbeddedServers(folder, durable=False)
    try:
        yield servers.start()
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A PostgreSQL server, named by its maintenance database; `with_database` leads to others."""
    if given := os.environ.get("DAOHU_TEST_DATABASE_URL"):
        return given
    endpoints: Endpoints = request.getfixturevalue("embedded")
    return with_database(endpoints.database_url, "postgres")


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database that all migrations have been applied to. Tests get copies; nobody connects to it."""
    url = with_database(postgres_url, f"daohu_template_{os.getpid()}")
    _apart(create_database(url))
    _apart(migrate_database(url))
    yield url
    _apart(_drop(postgres_url, url))


@pytest.fixture
async def database_url(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    """The URL of a fresh database with the current schema, dropped afterwards."""
    name = f"daohu_test_{os.getpid()}_{next(_numbers)}"
    url = with_database(postgres_url, name)
    await _execute(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{_name(template_database)}"')
    yield url
    await _drop(postgres_url, url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, open; the records work in the test."""
    opened = await Database.open(database_url, pool_max=5, application="daohu-test")
    yield opened
    await opened.close()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """An empty Redis or Valkey."""
    given = os.environ.get("DAOHU_TEST_REDIS_URL")
    url: str = given or request.getfixturevalue("embedded").redis_url
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def clock() -> ManualClock:
    """Three o'clock in the morning in the county, on the day of the typhoon."""
    return ManualClock(datetime(2026, 8, 9, 19, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the test data that is not part of this repository; the test is skipped without it."""
    place = os.environ.get("DAOHU_SHARED") or Path(__file__).parents[2] / "shared"
    folder = Path(place)
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared test data at {folder} (set DAOHU_SHARED)")
    return folder


def _quick_folder() -> str | None:
    """Memory, where there is plenty: copying a database of 300 files takes 10 ms there, 300 ms on a slow disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 1024**3:
        return str(memory)
    return None


def _apart(work: Coroutine[object, object, Result]) -> Result:
    """Run `work` on an event loop of its own, in a thread: the tests' loops and contexts stay untouched."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn=url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _drop(postgres_url: str, url: str) -> None:
    await _execute(postgres_url, f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
