"""Readiness: whether this installation can do its work now; if not, what stands in the way and what to do about it.

Each check makes sure itself: it writes where it must be possible to write, and believes no process that is silent.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.errors import DaohuError
from broadcaster.gauges import SQL
from broadcaster.migrating import demand, missing
from broadcaster.schema import VERSION
from broadcaster.settings import EMBEDDED, Settings

PATIENCE = 3.0
"""Seconds for one check."""

STUCK = 30.0
"""Seconds after which a log that is not folded is stuck; in the midst of the largest alert it takes one or two."""

FULL, SCARCE = 256 * 1024**2, 2 * 1024**3
"""Bytes free on the disk of the embedded servers: below the first they will stop, below the second look soon."""

_SIGNS = 4  # of life, one every third of a lease, that a worker may miss


class Outcome(StrEnum):
    """How a check came out. What is degraded does its work, slower or not for long."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `remedy` is the next step for the person who reads it."""

    name: str
    outcome: Outcome
    what: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong."""

    what: str
    remedy: str
    outcome: Outcome = Outcome.FAILED


Look = Callable[[], Awaitable[Fault | None]]

_AWAY = "请检查数据库是否在运行、[database] url 是否正确，以及磁盘是否已满。"


async def examine(database: Database, settings: Settings, others: Mapping[str, Look]) -> list[Check]:
    """Look at everything at once, `others` too."""
    looks: dict[str, Look] = {
        "database": lambda: _database(database),
        "schema": lambda: _schema(database),
        "writable": lambda: _writable(database),
        "workers": lambda: _workers(database, settings.worker.lease / 3 * _SIGNS),
        "folding": lambda: _folding(database),
        **others,
    }
    if settings.database.url == EMBEDDED:
        looks["disk"] = lambda: _disk(settings.data.dir)
    return list(await asyncio.gather(*(_check(name, look) for name, look in looks.items())))


def verdict(checks: list[Check]) -> Outcome:
    """The worst of all."""
    found = {check.outcome for check in checks}
    return next(outcome for outcome in (Outcome.FAILED, Outcome.DEGRADED, Outcome.OK) if outcome in found)


async def _check(name: str, look: Look) -> Check:
    try:
        async with asyncio.timeout(PATIENCE):
            fault = await look()
    except TimeoutError:
        fault = Fault(f"{PATIENCE:g} 秒内没有应答", _AWAY)
    except DaohuError as error:
        fault = Fault(str(error.what), str(error.remedy))
    except DATABASE_AWAY as error:
        fault = Fault(f"数据库没有应答（{type(error).__name__}）", _AWAY)
    return Check(name, Outcome.OK) if fault is None else Check(name, fault.outcome, fault.what, fault.remedy)


async def _database(database: Database) -> Fault | None:
    async with database.connection() as connection:
        await connection.fetchval("SELECT 1")
    return None


async def _schema(database: Database) -> Fault | None:
    async with database.connection() as connection:
        await demand(connection, VERSION)
        left = await missing(connection)
    if not left:
        return None
    names = "、".join(change.name for change in left)
    return Fault(f"数据库结构还没有升级：{names}", "请运行任一 daohu 命令（如 daohu doctor），它会升级数据库。")


async def _writable(database: Database) -> Fault | None:
    async with database.connection() as connection:
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            return Fault("连接到的是只读的备用数据库", "请把 [database] url 指向主库，或把备库提升为主库。")
        if await connection.fetchval("SELECT current_setting('transaction_read_only') = 'on'"):
            return Fault("数据库处于只读状态", "请在数据库中关闭 default_transaction_read_only。")
        attempt = connection.transaction()
        await attempt.start()
        try:
            await connection.execute(
                "INSERT INTO process (name, kind, knows) VALUES (gen_random_uuid()::text, 'probe', 0)"
            )
        finally:
            await attempt.rollback()
    return None


async def _workers(database: Database, silent: float) -> Fault | None:
    async with database.connection() as connection:
        rows = await connection.fetch(SQL["processes"])
    if any(row["kind"] == "worker" and row["silent"] <= silent for row in rows):
        return None
    return Fault(
        f"{silent:.0f} 秒内没有任何发送进程的消息，预警发不出去",
        "请启动 daohu worker（systemctl start daohu-worker@1），或运行 daohu serve --worker。",
    )


async def _folding(database: Database) -> Fault | None:
    async with database.connection() as connection:
        age = await connection.fetchval(
            """
            SELECT extract(epoch FROM clock_timestamp() - min(written_at))::float8 FROM segment WHERE NOT folded
            """
        )
    if age is None or age <= STUCK:
        return None
    return Fault(
        f"回执已有 {age:.0f} 秒没有入账，页面上的数字是旧的",
        "请查看发送进程日志中的 worker.fault 和 worker.database_away，以及数据库中长时间运行的事务。",
    )


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


async def _disk(folder: Path) -> Fault | None:
    free = await asyncio.to_thread(_free, folder)
    if free >= SCARCE:
        return None
    return Fault(
        f"数据目录所在磁盘只剩 {free / 1024**2:.0f} MB",
        "请清理磁盘，或用 daohu archive 移出早已结束的预警。",
        Outcome.FAILED if free < FULL else Outcome.DEGRADED,
    )
