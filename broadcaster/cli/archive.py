"""`daohu archive`: alerts that are over leave the database for files."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, complain, say
from broadcaster.clock import BEIJING
from broadcaster.errors import InputError

if TYPE_CHECKING:
    from broadcaster.archive.archivist import Archived, Archivist
    from broadcaster.archive.standing import Kept
    from broadcaster.database import Connection
    from broadcaster.house import House

Which = Annotated[
    list[int] | None, typer.Argument(metavar="[ALERT]…", help="预警的编号；不写则为所有到期的。", show_default=False)
]
Before = Annotated[
    str, typer.Option("--before", metavar="DATE", help="只归档这一天（北京时间）之前结束的，如 2026-08-01。")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只说明会归档哪些，什么也不改动。")]


@command
async def archive(
    alerts: Which = None, before: Before = "", config: Config = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """把早已结束的预警移出数据库，存为压缩文件；各项统计、未到户名单和审计仍可查看。

    随时可以中断，再次运行即接着完成。点名的预警有一条不能归档时，退出码为 1。
    """
    async with starting.house(config, application="daohu-archive") as house:
        limit = _limit(house, before)
        archivist = _archivist(house)
        chosen = list(dict.fromkeys(alerts or await archivist.candidates(limit)))
        if dry_run:
            return await _foretell(house, chosen, limit, named=bool(alerts), as_json=as_json)
        async with archivist.alone():
            done, kept = await _archive(archivist, chosen, limit, quiet=as_json)
            if done:
                await archivist.vacuum()
    if as_json:
        answer({"archived": [asdict(one) for one in done], "kept": _reasons(kept)})
    else:
        say(f"已归档 {len(done)} 条，保留 {len(kept)} 条。归档目录：{house.settings.archive_dir}")
    return FAILED if alerts and kept else OK


def _limit(house: House, before: str) -> datetime:
    """Before when an alert must have been over."""
    ripe = house.clock.now() - timedelta(days=house.settings.archive.after)
    if not before:
        return ripe
    try:
        day = datetime.strptime(before, "%Y-%m-%d").replace(tzinfo=BEIJING)
    except ValueError:
        raise InputError(f"不是日期：{before}", remedy="应为 年-月-日，如 2026-08-01。") from None
    return min(ripe, day)


def _archivist(house: House) -> Archivist:
    from broadcaster.archive.archivist import Archivist

    return Archivist(house.database, house.clock, house.settings.archive_dir, house.clock.sleep)


async def _archive(
    archivist: Archivist, chosen: list[int], limit: datetime, *, quiet: bool
) -> tuple[list[Archived], dict[int, Kept]]:
    from broadcaster.archive.standing import Kept

    done: list[Archived] = []
    kept: dict[int, Kept] = {}
    for alert_id in chosen:
        found = await archivist.archive(alert_id, limit)
        if isinstance(found, Kept):
            kept[alert_id] = found
            _tell_kept(alert_id, found)
            continue
        done.append(found)
        if not quiet:
            say(
                f"{alert_id}  {found.rows} 行，{found.bytes / 1024**2:.1f} MB，移出 {found.deleted} 行 → {found.folder}"
            )
    return done, kept


async def _foretell(house: House, chosen: list[int], limit: datetime, *, named: bool, as_json: bool) -> int:
    from broadcaster.archive.standing import Kept, standing

    ripe: list[dict[str, int]] = []
    kept: dict[int, Kept] = {}
    async with house.database.connection() as connection:
        for alert_id in chosen:
            found = await standing(connection, alert_id, limit)
            if isinstance(found, Kept):
                kept[alert_id] = found
                _tell_kept(alert_id, found)
            else:
                ripe.append(await _size(connection, alert_id))
    if as_json:
        answer({"dry_run": True, "ripe": ripe, "kept": _reasons(kept)})
    else:
        for one in ripe:
            say(f"{one['alert']}  将归档：发送 {one['deliveries']} 条，住户 {one['households']} 户")
        say(f"可归档 {len(ripe)} 条，保留 {len(kept)} 条；没有改动。")
    return FAILED if named and kept else OK


async def _size(connection: Connection, alert_id: int) -> dict[str, int]:
    from broadcaster.archive.standing import SQL

    return {"alert": alert_id, **dict(await connection.fetchrow(SQL["size"], alert_id))}


def _tell_kept(alert_id: int, kept: Kept) -> None:
    from broadcaster.archive.standing import CHINESE

    complain(f"{alert_id}  没有归档：{'；'.join(CHINESE[reason] for reason in kept.reasons)}")


def _reasons(kept: dict[int, Kept]) -> list[dict[str, object]]:
    return [{"alert": alert_id, "reasons": list(one.reasons)} for alert_id, one in kept.items()]
