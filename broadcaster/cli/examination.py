"""What `doctor` looks at, one thing after the other; whatever is found, it goes on as far as it can."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from broadcaster.cli.formats import cap_format
from broadcaster.clock import BEIJING, SystemClock
from broadcaster.conservation import breaches
from broadcaster.decisions.policies import decided
from broadcaster.decisions.templates import written
from broadcaster.dispatch import lineup
from broadcaster.dispatch.lineup import Health
from broadcaster.dispatch.pausing import paused_names
from broadcaster.errors import DaohuError
from broadcaster.house import House, open_house
from broadcaster.intake.listing import SourceStatus, statuses, waiting
from broadcaster.issuing import in_force
from broadcaster.ports import Medium
from broadcaster.security import audit
from broadcaster.settings import Settings
from broadcaster.triggers import listing, rules

OLDEST_POSTGRES = 15
GIGABYTE = 1024**3
ROOMY, FULL = 2 * GIGABYTE, GIGABYTE // 20
RECENT_ALERTS = 20
LONGEST_TRANSACTION = 1800.0
MANY_DEAD = 2_000_000
MOST_SKEW = 5.0
"""Seconds that the database's clock may differ from ours: leases and expiry are compared with both."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Literal["ok", "warning", "failed"]
    what: str
    remedy: str = ""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything."""
    yield Finding(
        "设置", "ok", f"{settings.source or '环境变量'}；{settings.district.name}（{settings.district.code}）"
    )
    yield _disk(settings)
    yield _signing(settings)
    try:
        async with open_house(settings, application="daohu-doctor") as house:
            yield Finding("内置部件与网关", "ok", "都能打开")
            for look in (_database, _vacuum, _clock, _doorbell, _worker, _audience, _decisions, _alerts, _trail):
                yield await look(house)
            for finding in await _health(house):
                yield finding
            for finding in _gateways(house):
                yield finding
            for finding in await _speech(house):
                yield finding
            for finding in await _sources(house):
                yield finding
            for finding in await _sensors(house):
                yield finding
    except DaohuError as error:
        yield Finding("启动", "failed", error.what, error.remedy)


def _disk(settings: Settings) -> Finding:
    folder = settings.data.dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    what = f"{settings.data.dir}，可用 {free / GIGABYTE:.1f} GB"
    if free < FULL:
        return Finding("磁盘", "failed", what, "磁盘已满，数据库写不进去：请先清理磁盘或更换 [data] dir。")
    if free < ROOMY:
        return Finding("磁盘", "warning", what, "剩余空间不多，请清理磁盘或更换 [data] dir。")
    return Finding("磁盘", "ok", what)


def _signing(settings: Settings) -> Finding:
    """Whether what is published can be signed as the settings say: `serve` does not start where it cannot."""
    try:
        cap_format(settings)
    except DaohuError as error:
        return Finding("签名", "failed", error.what, error.remedy)
    signs = settings.feeds.signing_key is not None
    return Finding("签名", "ok", "对外发布的 CAP 带数字签名" if signs else "没有设置，对外发布的 CAP 不带数字签名")


async def _database(house: House) -> Finding:
    async with house.database.connection() as connection:
        major = connection.get_server_version().major
        version = await connection.fetchval("SHOW server_version")
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        durable = await connection.fetchval("SELECT current_setting('fsync') = 'on'")
    what = f"PostgreSQL {version}，{size / 1024**2:.0f} MB"
    if major < OLDEST_POSTGRES:
        return Finding("数据库", "failed", what, f"请升级到 PostgreSQL {OLDEST_POSTGRES} 或更新的版本。")
    if not durable:
        return Finding("数据库", "failed", f"{what}，fsync 已关闭，断电会丢数据", "请在数据库设置中打开 fsync。")
    return Finding("数据库", "ok", what)


async def _vacuum(house: House) -> Finding:
    async with house.database.connection() as connection:
        dead = await connection.fetchrow(
            """
            SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead FROM pg_stat_user_tables
            ORDER BY n_dead_tup - n_live_tup DESC LIMIT 1
            """
        )
        oldest = await connection.fetchrow(
            """
            SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
            ORDER BY xact_start LIMIT 1
            """
        )
    if oldest["seconds"] > LONGEST_TRANSACTION:
        what = f"进程 {oldest['pid']} 的事务已开启 {oldest['seconds'] / 60:.0f} 分钟，失效的行无法清理"
        return Finding(
            "清理", "warning", what, f"请查明是谁；必要时执行 SELECT pg_terminate_backend({oldest['pid']})。"
        )
    if dead["dead"] > MANY_DEAD + dead["live"]:
        what = f"表 {dead['name']} 有 {dead['dead']} 行失效，多于有效的 {dead['live']} 行"
        return Finding("清理", "warning", what, f"请检查 autovacuum 是否开启，或执行 VACUUM ANALYZE {dead['name']}。")
    return Finding("清理", "ok", "失效的行不多，没有长时间开启的事务")


async def _clock(house: House) -> Finding:
    async with house.database.connection() as connection:
        theirs = await connection.fetchval("SELECT clock_timestamp()")
    skew = abs((theirs - SystemClock().now()).total_seconds())
    if skew > MOST_SKEW:
        return Finding("时钟", "failed", f"与数据库相差 {skew:.0f} 秒", "请为各台机器开启时间同步（chrony 或 ntp）。")
    return Finding("时钟", "ok", "与数据库一致")


async def _doorbell(house: House) -> Finding:
    if await house.doorbell.answers():
        return Finding("Redis", "ok", "有应答")
    return Finding("Redis", "warning", "没有应答；系统照常运行，只是稍慢", "请检查 [redis] url 和 Redis 是否在运行。")


async def _worker(house: House) -> Finding:
    async with house.database.connection() as connection:
        running = await connection.fetchval(
            """
            SELECT count(DISTINCT pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name IN ('daohu-serve', 'daohu-worker', 'daohu-demo')
            """
        )
    if running:
        return Finding("发送进程", "ok", "有进程正在运行")
    return Finding(
        "发送进程", "warning", "没有 serve 或 worker 在运行", "请运行 daohu serve，或在生产环境运行 daohu worker。"
    )


async def _audience(house: House) -> Finding:
    async with house.database.connection() as connection:
        homes = await connection.fetchval("SELECT count(*) FROM household WHERE active")
        silent = await connection.fetchval(
            """
            SELECT count(*) FROM household h WHERE active
            AND NOT EXISTS (SELECT FROM contact c WHERE c.household_id = h.id AND c.active)
            """
        )
    if not homes:
        return Finding("名册", "warning", "还没有住户", "请用 daohu import 导入区划、住户、责任人和终端。")
    return Finding("名册", "ok", f"{homes} 户，其中 {silent} 户没有任何联系方式（由网格员敲门）")


async def _decisions(house: House) -> Finding:
    """What was decided in the console has to work with this program as well."""
    async with house.database.connection() as connection:
        texts, policies = await written(connection), await decided(connection)
        office = await in_force(connection, house.office)
    what = f"控制台改写了 {len(texts)} 个模板、{len(policies)} 个颜色的策略"
    wrong = office.library.check() if texts else []
    if wrong:
        return Finding(
            "模板与策略", "failed", f"{what}；有 {len(wrong)} 个模板不能用：{wrong[0]}", "请在模板页面改正。"
        )
    return Finding("模板与策略", "ok", what)


async def _alerts(house: House) -> Finding:
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT alert_id FROM run ORDER BY alert_id DESC LIMIT $1", RECENT_ALERTS)
        broken = [breach for row in rows for breach in await breaches(connection, row["alert_id"])]
    if broken:
        first = broken[0]
        return Finding(
            "守恒",
            "failed",
            f"预警 {first.alert_id}：{first.what}，记为 {first.counted}，实为 {first.actual}（共 {len(broken)} 处）",
            "请保留数据库现状，把 daohu status 的输出交给维护人员。",
        )
    return Finding("守恒", "ok", f"最近 {len(rows)} 条预警的计数都相符")


async def _trail(house: House) -> Finding:
    async with house.database.connection() as connection:
        verdict = await audit.verify(connection)
    if verdict.broken is not None:
        return Finding("审计", "failed", f"第 {verdict.broken} 条断开：{verdict.why}", "请用 daohu audit verify 核对。")
    return Finding("审计", "ok", f"{verdict.entries} 条，完整")


async def _health(house: House) -> list[Finding]:
    """The gateways that the workers do without at the moment."""
    async with house.database.connection() as connection:
        found = [one for one in await lineup.health(connection) if not one.up]
        by_hand = await paused_names(connection)
    return [
        *(_by_hand(name) for name in sorted(by_hand)),
        *(_paused(one) for one in found if one.name not in by_hand),
    ]


def _by_hand(name: str) -> Finding:
    return Finding(f"网关 {name}", "warning", "管理员暂停了它，什么也不发", "请在网关页面恢复使用，如果不再需要暂停。")


def _paused(gateway: Health) -> Finding:
    since = gateway.since.astimezone(BEIJING)
    if gateway.states["probing"]:
        what = f"已重新连上，下一批消息将先少量试发（此前：{gateway.why}）"
        return Finding(f"网关 {gateway.name}", "warning", what)
    what = f"自 {since:%m-%d %H:%M:%S} 起暂停使用：{gateway.why or '没有连接'}"
    remedy = "系统会自动重试；同渠道的其他网关已接替。请检查网络、账号，或询问运营商。"
    return Finding(f"网关 {gateway.name}", "warning", what, remedy)


async def _speech(house: House) -> list[Finding]:
    """Every engine says a few words; that the last one works is what warnings depend on."""
    reports = await house.studio.examine()
    found = []
    for number, report in enumerate(reports, start=1):
        name = f"语音引擎 {report.engine}"
        if not report.problem:
            what = f"第 {number} 个使用；{report.seconds:.1f} 秒的话用了 {report.took:.2f} 秒"
            found.append(Finding(name, "ok", what))
        else:
            others = any(not other.problem for other in reports)
            found.append(Finding(name, "warning" if others else "failed", report.problem, report.remedy))
    return found


def _gateways(house: House) -> list[Finding]:
    found = [
        Finding(f"驱动 {problem.entry}", "warning", problem.what, f"请修复或卸载 {problem.distribution}。")
        for problem in house.registry.problems()
    ]
    real = [gateway for gateway in house.settings.gateways if not gateway.rehearsal]
    if not real:
        found.append(Finding("网关", "warning", "没有用于真实发布的网关", "请在设置中加入 [[gateways]]。"))
        return found
    missing = [medium.value for medium in Medium if medium not in {gateway.channel for gateway in real}]
    what = f"{len(real)} 个" + (f"；没有网关的渠道：{'、'.join(missing)}" if missing else "")
    return [*found, Finding("网关", "ok", what)]


async def _sources(house: House) -> list[Finding]:
    """How the sources fare, and whether somebody should look at what they told."""
    settings = house.settings.sources
    if not settings:
        return []
    async with house.database.connection() as connection:
        found = await statuses(connection, settings, house.clock.now())
        left = await waiting(connection)
    told = [finding for one in found if (finding := _source(one)) is not None]
    if left:
        told.append(Finding("收到的消息", "warning", f"{left} 条待处理", "请值班员在“收到的消息”页面处理。"))
    return told or [Finding("来源", "ok", f"{len(settings)} 个，都正常")]


def _source(one: SourceStatus) -> Finding | None:
    """What is wrong with a source; None when nothing is."""
    name = f"来源 {one.settings.name}"
    if one.trouble and one.since is not None:
        since = one.since.astimezone(BEIJING)
        what = f"自 {since:%m-%d %H:%M:%S} 起取不到，连续 {one.failures} 次：{one.reason}"
        return Finding(name, "warning", what, "系统会自动重试；请检查地址、网络，或询问对方。")
    if one.remarks:
        return Finding(name, "warning", one.remarks[0], "请在“来源”页面查看，或询问对方。")
    if one.settings.address and one.heard_at is None:
        return Finding(name, "warning", "还没有取过", "请确认有 daohu serve 或 worker 在运行。")
    return None


async def _sensors(house: House) -> list[Finding]:
    """Who listens for instruments, which stations are silent, who reports without being registered."""
    names = [one.name for one in house.settings.sensors]
    async with house.database.connection() as connection:
        listeners = {one.name: one for one in await listing.listeners(connection, names)}
        silent = await listing.silent(connection, [""])
        strangers = await listing.strangers(connection)
        working = await rules.at_work(connection)
    found: list[Finding] = []
    for name in names:
        one = listeners.get(name)
        if one is None or not one.held:
            found.append(
                Finding(f"接入 {name}", "warning", "没有进程在接收", "请确认有 daohu serve 或 worker 在运行。")
            )
        elif one.trouble:
            found.append(Finding(f"接入 {name}", "warning", one.trouble, "系统会自动重试。"))
        else:
            found.append(Finding(f"接入 {name}", "ok", f"正常，{one.readings} 条读数"))
    if silent:
        shown = "、".join(one.name for one in silent[:5])
        found.append(Finding("测站", "warning", f"{len(silent)} 个没有来信：{shown}", "请在“测站”页面查看。"))
    if strangers:
        shown = "、".join(one.code for one in strangers[:5])
        found.append(
            Finding(
                "测站",
                "warning",
                f"{len(strangers)} 个没有登记而在上报：{shown}",
                "请补进名册：daohu import stations。",
            )
        )
    found += [
        Finding(f"规则 {name}", "warning", one.trouble, "请在“规则”页面改正。")
        for name, one in sorted(working.items())
        if one.trouble
    ]
    return found
