"""`daohu rules`: how the rules run, and what one would have done with the readings that there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import OK, command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, say
from broadcaster.clock import BEIJING
from broadcaster.errors import InputError

if TYPE_CHECKING:
    from broadcaster.triggers.replaying import Happened

app = group("规则：怎样运行，用历史读数试算会怎么做。")

Name = Annotated[str, typer.Argument(metavar="RULE", help="规则的名称。")]
From = Annotated[
    str, typer.Option("--from", help="从何时起，北京时间，如 2026-07-01 或 2026-07-01T08:00；默认 7 天前。")
]
To = Annotated[str, typer.Option("--to", help="到何时止；默认现在。")]
Version = Annotated[int, typer.Option("--version", min=0, help="第几版；默认最新的。")]

_STEPS = {"raise": "触发", "rise": "升高", "clear": "回落"}
_DEEDS = {"notify": "提醒值班员", "draft": "起草", "hold": "倒计时发出", "issue": "立即发出"}
_MODES = {"off": "不运行", "shadow": "试运行", "live": "投入使用"}


@app.command("list", cls=ChineseCommand)
@command
async def list_(config: Config = None, as_json: AsJson = False) -> int:
    """列出规则：运行的是第几版，怎样运行，现在处于什么状态。"""
    from broadcaster.decisions import versions
    from broadcaster.decisions.versions import Subject
    from broadcaster.triggers import rules

    async with starting.house(config, application="daohu-rules") as house, house.database.connection() as connection:
        newest = await versions.newest(connection, Subject.RULE)
        working = await rules.at_work(connection)
    shown = [
        {
            "name": name,
            "newest": one.version,
            "version": working[name].version if name in working else None,
            "mode": working[name].mode if name in working else "off",
            "colour": working[name].state.colour if name in working else None,
            "trouble": working[name].trouble if name in working else "",
        }
        for name, one in sorted(newest.items())
    ]
    for line in shown:
        words = [str(line["name"]), _MODES[str(line["mode"])], f"第 {line['version'] or line['newest']} 版"]
        words += [f"现为{line['colour']}"] if line["colour"] else []
        words += [str(line["trouble"])] if line["trouble"] else []
        say("  ".join(words))
    if not shown:
        say("还没有规则。")
    if as_json:
        answer({"rules": shown})
    return OK


@app.command("replay", cls=ChineseCommand)
@command
async def replay(
    name: Name,
    config: Config = None,
    start: From = "",
    end: To = "",
    version: Version = 0,
    as_json: AsJson = False,
) -> int:
    """用保存的读数试算一条规则会怎么做；不起草，也不发出任何东西。"""
    happened, readings = await _replayed(name, config, start, end, version)
    for one in happened:
        say(
            f"{one.at.astimezone(BEIJING):%Y-%m-%d %H:%M}  {_STEPS[one.step.value]}  {one.colour.chinese}色"
            f"  {_DEEDS[one.deed.value]}  {'；'.join(why.chinese for why in one.why)}"
        )
    say(f"用了 {readings} 条读数，会有 {len(happened)} 步。")
    if as_json:
        steps = [
            {
                "at": one.at.isoformat(),
                "step": one.step.value,
                "colour": one.colour.value,
                "do": one.deed.value,
                "why": [why.chinese for why in one.why],
            }
            for one in happened
        ]
        answer({"rule": name, "readings": readings, "steps": steps})
    return OK


async def _replayed(name: str, config: Path | None, start: str, end: str, version: int) -> tuple[list[Happened], int]:
    from broadcaster.triggers import replaying, rules

    async with starting.house(config, application="daohu-rules") as house, house.database.connection() as connection:
        last = _moment(end, house.clock.now())
        first = _moment(start, last - timedelta(days=7))
        if first >= last:
            raise InputError("--from 不早于 --to。", remedy="请改正时间。")
        settings = house.settings
        _, rule = await rules.written(connection, name, settings.district.code, settings.rules.issue, version)
        among, windows = await replaying.recorded(connection, rule, first, last)
    count = sum(len(course.at) for course in windows.values())
    return replaying.replay(rule, among, windows, first, last), count


def _moment(text: str, otherwise: datetime) -> datetime:
    if not text:
        return otherwise
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"不是时间：{text[:40]}。", remedy="请写成 2026-07-01 或 2026-07-01T08:00。") from error
    return at if at.tzinfo else at.replace(tzinfo=BEIJING)
