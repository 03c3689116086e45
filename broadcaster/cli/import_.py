"""`daohu import`: rosters of regions, households, duties, terminals and stations from CSV, XLSX and GeoJSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, bar, note, say
from broadcaster.clock import SystemClock

if TYPE_CHECKING:
    from audiences.importing import ImportReport
    from broadcaster.database import Connection

app = group("导入区划、住户、责任人、大喇叭和测站名册。有行未导入时退出码为 1，其余行已保留。")

File: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="csv 或 xlsx；区划还可以是 geojson。")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="只检查，不改动数据。")]
Complete: TypeAlias = Annotated[
    bool, typer.Option("--complete", help="名册是完整的：其中的区域和角色，没有列出的人从现在起不再任职。")
]


class Import(Protocol):
    """One of the imports, whatever else it needs already given."""

    async def __call__(
        self, connection: Connection, path: Path, *, dry_run: bool, progress: Callable[[int, float], None]
    ) -> ImportReport: ...


TABLES = {
    "region": "区划",
    "household": "住户",
    "person": "人员",
    "contact": "联系方式",
    "duty": "职责",
    "terminal": "终端",
    "station": "测站",
}
SHOWN = 20
"""Problems that are shown; --json has them all, up to the report's own limit."""


@app.command("regions", cls=ChineseCommand)
@command
async def regions(file: File, config: Config = None, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """导入行政区划和网格（编码、名称、边界）。"""
    from audiences import importing

    return await _run(importing.regions, "导入区划", file, config, dry_run=dry_run, as_json=as_json)


@app.command("households", cls=ChineseCommand)
@command
async def households(file: File, config: Config = None, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """导入住户及其成员、联系方式和标签。"""
    from audiences import importing

    return await _run(importing.households, "导入住户", file, config, dry_run=dry_run, as_json=as_json)


@app.command("duties", cls=ChineseCommand)
@command
async def duties(
    file: File,
    config: Config = None,
    dry_run: DryRun = False,
    complete: Complete = False,
    as_json: AsJson = False,
) -> int:
    """导入责任人：村书记、网格长、网格员等及其副手和任期。"""
    from audiences import importing

    work = partial(importing.duties, at=SystemClock().now(), complete=complete)
    return await _run(work, "导入责任人", file, config, dry_run=dry_run, as_json=as_json)


@app.command("terminals", cls=ChineseCommand)
@command
async def terminals(file: File, config: Config = None, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """导入大喇叭终端。"""
    from audiences import importing

    return await _run(importing.terminals, "导入终端", file, config, dry_run=dry_run, as_json=as_json)


@app.command("stations", cls=ChineseCommand)
@command
async def stations(file: File, config: Config = None, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """导入测站（站码、名称、区划、位置、类型、分组、上报间隔、警戒和保证水位等阈值）。"""
    from broadcaster.triggers import roster

    return await _run(roster.stations, "导入测站", file, config, dry_run=dry_run, as_json=as_json)


async def _run(work: Import, title: str, file: Path, config: Path | None, *, dry_run: bool, as_json: bool) -> int:
    async with starting.house(config, application="daohu-import") as house, house.database.connection() as connection:
        with bar(title) as progress:
            task = progress.add_task(title, total=100)
            report = await work(
                connection,
                file,
                dry_run=dry_run,
                progress=lambda rows, share: progress.update(task, completed=share * 100, description=f"{rows} 行"),
            )
            progress.update(task, completed=100)
    if as_json:
        answer(asdict(report))
    else:
        _show(report)
    return FAILED if report.refused else OK


def _show(report: ImportReport) -> None:
    for problem in report.problems[:SHOWN]:
        note(str(problem))
    if report.problem_count > SHOWN:
        note(f"……共有 {report.problem_count} 处问题，其余用 --json 查看。")
    if report.ignored_columns:
        note(f"没有用到的列：{'、'.join(report.ignored_columns)}")
    tried = "检查" if report.dry_run else "导入"
    say(
        f"{tried}了 {report.rows} 行，用时 {report.seconds:.1f} 秒；"
        f"未导入 {report.refused} 行，合并 {report.merged} 行。"
    )
    for table, changes in report.changes.items():
        say(
            f"  {TABLES.get(table, table)}：新增 {changes.added}，更新 {changes.updated}，"
            f"不变 {changes.unchanged}，停用 {changes.deactivated}"
        )
    if report.dry_run:
        say("这是试运行，没有改动任何数据。")
