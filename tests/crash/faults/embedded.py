"""What an outpost with servers of its own goes through: its keeper and its servers are killed."""

from __future__ import annotations

import contextlib
from random import Random

import psutil

from broadcaster.database import DATABASE_AWAY
from broadcaster.embedded.layout import Layout
from tests.crash.fault import Fault
from tests.harness.outpost import Outpost
from tests.harness.waiting import wait_until


class KilledKeeper(Fault):
    """The keeper is killed: the servers get the kernel's farewell signal, and a holder starts another keeper."""

    name = "embedded keeper killed"

    async def strike(self, post: Outpost, chance: Random) -> int:
        keeper = _keeper(post)
        keeper.kill()
        await wait_until(lambda: _another(post, keeper.pid), what="another keeper")
        await _answers(post)
        return 1


class KilledEmbeddedServer(Fault):
    """PostgreSQL's first process or Valkey is killed; the keeper starts it again."""

    name = "embedded PostgreSQL or Valkey killed"

    async def strike(self, post: Outpost, chance: Random) -> int:
        victim = chance.choice(sorted(_keeper(post).children(), key=lambda one: one.name()))
        victim.kill()
        await wait_until(lambda: not victim.is_running(), what="the server to be reaped")
        await _answers(post)
        return 1


def _layout(post: Outpost) -> Layout:
    return Layout(post.house.settings.data.dir.resolve())


def _keeper(post: Outpost) -> psutil.Process:
    return psutil.Process(int(_layout(post).keeper_lock.read_text()))


def _another(post: Outpost, dead: int) -> bool:
    with contextlib.suppress(psutil.Error, ValueError):
        return _keeper(post).pid != dead and _layout(post).report.exists()
    return False


async def _answers(post: Outpost) -> None:
    """Wait until the database can be asked again."""

    async def answered() -> bool:
        with contextlib.suppress(*DATABASE_AWAY):
            async with post.house.database.connection() as connection:
                return bool(await connection.fetchval("SELECT true"))
        return False

    await wait_until(answered, what="the database to answer")
