"""`daohu status`: how far alerts have come, and whether the counts hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from broadcaster.alerts.state import State
from broadcaster.capacity.words import CHANNELS as WORDS
from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, complain, say
from broadcaster.clock import BEIJING
from broadcaster.dispatch.delivery import DeliveryState

if TYPE_CHECKING:
    from broadcaster.alerts.records import AlertRecord
    from broadcaster.database import Connection
    from broadcaster.progress import Progress

Which = Annotated[str, typer.Argument(metavar="[ALERT]", help="预警的编号、标识或回复码；不写则列出正在生效的各条。")]

STATES = {state.word: state.chinese for state in DeliveryState}
CHANNELS = {medium.value: word for medium, word in WORDS.items()}
ALERT_STATES = {state.value: state.chinese for state in State}


@command
async def status(alert: Which = "", config: Config = None, as_json: AsJson = False) -> int:
    """查看进度，并核对各项计数（守恒）；不守恒时退出码为 1。"""
    from broadcaster.alerts import authoring
    from broadcaster.cli.alert import named
    from broadcaster.conservation import breaches
    from broadcaster.progress import progress

    async with starting.house(config, application="daohu-status") as house, house.database.connection() as connection:
        records = [await named(alert)] if alert else await authoring.open_alerts()
        found: list[dict[str, Any]] = []
        for record in records:
            now = await progress(connection, record.id)
            broken = await breaches(connection, record.id)
            found.append(
                {
                    **_named(record),
                    **asdict(now),
                    "conserved": not broken,
                    "breaches": [asdict(breach) for breach in broken],
                }
            )
            if not as_json:
                _show(record, now, await _latest(connection, record.id))
                for breach in broken:
                    complain(f"计数不符：{breach.what}：记为 {breach.counted}，实为 {breach.actual}")
    if as_json:
        answer(found[0] if alert else {"alerts": found, "conserved": all(one["conserved"] for one in found)})
    elif not found:
        say("没有正在生效的预警。")
    return OK if all(one["conserved"] for one in found) else FAILED


def _named(record: AlertRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "identifier": record.identifier,
        "state": str(record.state),
        "status": str(record.status),
        "headline": record.headline,
        "expires_at": record.expires_at,
    }


async def _latest(connection: Connection, alert_id: int) -> int:
    """Households that a closed run left unreached are named on the pages; here, how many doors are still open."""
    return int(await connection.fetchval("SELECT count(*) FROM door_task WHERE alert_id = $1", alert_id))


def _show(record: AlertRecord, now: Progress, doors: int) -> None:
    from rich.console import Console

    say(f"{record.id}  {record.headline}  {ALERT_STATES.get(str(record.state), record.state)}  {record.identifier}")
    table = Table("渠道", *STATES.values())
    for channel, counts in now.channels.items():
        table.add_row(CHANNELS.get(channel, channel), *(str(counts[state]) for state in STATES))
    table.add_row("合计", *(str(now.deliveries[state]) for state in STATES))
    Console().print(table)
    homes, units = now.households, now.units
    say(f"住户 {homes.total}：已到 {homes.reached}，等待 {homes.pending}，未到 {homes.unreached}；入户任务 {doors}")
    say(
        f"责任单元 {units.total}：已确认 {units.acknowledged}，等待 {units.waiting}，升级过 {units.escalated}，"
        f"无人确认 {units.exhausted}；重复发送 {now.duplicates}"
    )
    if now.archived_at is not None:
        say(f"已于 {now.archived_at.astimezone(BEIJING):%Y-%m-%d %H:%M} 归档：逐条的发送记录在归档目录中。")
