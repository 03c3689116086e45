"""PostgreSQL restarted, killed, cut off and read-only."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from random import Random

import asyncpg
import psutil

from broadcaster.database import DATABASE_AWAY
from tests.crash.fault import Fault
from tests.harness.outpost import Outpost
from tests.harness.waiting import wait_until


class RestartedPostgres(Fault):
    """A fast shutdown and a start."""

    name = "PostgreSQL restarted (fast)"
    how = signal.SIGINT
    kills = 0

    async def strike(self, post: Outpost, chance: Random) -> int:
        await post.given.end_postgres(self.how)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        await post.given.start_postgres()
        return self.kills


class CrashedPostgres(RestartedPostgres):
    """An immediate shutdown, which is a crash in order, and a start with recovery."""

    name = "PostgreSQL restarted (immediate)"
    how = signal.SIGQUIT


class KilledPostmaster(RestartedPostgres):
    """The server's first process is killed; its backends find out by themselves."""

    name = "PostgreSQL's postmaster killed"
    how = signal.SIGKILL
    kills = 1


class KilledBackend(Fault):
    """One backend is killed, upon which PostgreSQL ends all others and recovers."""

    name = "PostgreSQL backend killed"

    async def strike(self, post: Outpost, chance: Random) -> int:
        backends = await wait_until(post.given.backends, what="somebody to be connected")
        victim = chance.choice(sorted(backends, key=lambda one: one.pid))
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
        await wait_until(lambda: _answers(post), what="PostgreSQL to have recovered")
        return 1


class CutConnections(Fault):
    """Every connection to the database is ended by the administrator."""

    name = "all database connections cut"

    async def strike(self, post: Outpost, chance: Random) -> int:
        await post.given.command(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'daohu' AND pid <> pg_backend_pid()"
        )
        return 0


class ReadOnly(Fault):
    """For some seconds the database lets nobody write, as a standby or a protected server does."""

    name = "database read-only"
    seconds = (0.5, 3.0)

    async def strike(self, post: Outpost, chance: Random) -> int:
        await post.given.command("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        await asyncio.sleep(chance.uniform(*self.seconds))
        await post.given.command(
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
            "SELECT pg_reload_conf()",
        )
        return 0


async def _answers(post: Outpost) -> bool:
    try:
        await post.given.command("SELECT 1")
    except (*DATABASE_AWAY, asyncpg.PostgresError):
        return False
    return True
