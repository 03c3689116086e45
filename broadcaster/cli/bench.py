"""`daohu bench`: how fast this machine sends, and where the time goes."""

from __future__ import annotations

import pstats
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, bar, note, say

app = group("测量：这台机器（和这个数据库）每秒能送达多少条。")

Recipients = Annotated[
    list[int],
    typer.Option("--recipients", min=1000, max=5_000_000, help="接收者数量；可以写几次，依次测量。"),
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="发送进程的数量。")]
Database = Annotated[str, typer.Option("--database", metavar="URL", help="PostgreSQL 地址；默认用内置的。")]
Redis = Annotated[str, typer.Option("--redis", metavar="URL", help="Redis 地址；默认用内置的。")]
Profile = Annotated[bool, typer.Option("--profile", help="同时记录发送进程的时间用在哪里（会慢一倍）。")]

FUNCTIONS = 30
"""Lines of a profile that are shown."""


@app.command("dispatch", cls=ChineseCommand)
@command
async def dispatch(
    *,
    config: Config = None,  # noqa: ARG001 - the bench brings its own settings; every command has the option
    recipients: Recipients = [100_000],  # noqa: B006 - typer copies it
    workers: Workers = 1,
    database: Database = "embedded",
    redis: Redis = "embedded",
    profile: Profile = False,
    as_json: AsJson = False,
) -> int:
    """向一批虚拟的接收者发布一条预警，测量从发布到最后一条回执入账的全过程。"""
    from broadcaster.bench.dispatch import Task, bench_dispatch
    from broadcaster.bench.figures import table

    runs = []
    for number in recipients:
        with _folder() as folder, bar(f"{number}") as drawn:
            line = drawn.add_task("", total=number)
            task = Task(
                recipients=number, workers=workers, folder=folder, database=database, redis=redis, profile=profile
            )
            runs.append(await bench_dispatch(task, lambda _, come: drawn.update(line, completed=come)))  # noqa: B023
            drawn.stop()
            if profile:
                _tell_profile(folder)
    say(table(runs))
    if as_json:
        answer(asdict(runs[-1]) if len(runs) == 1 else {"runs": [asdict(run) for run in runs]})
    return OK if not any(run.lost for run in runs) else FAILED


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a short name, for the sockets in it, that goes away afterwards."""
    made = Path(tempfile.mkdtemp(prefix="daohu-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _tell_profile(folder: Path) -> None:
    for file in sorted(folder.glob("worker-*.prof")):
        note(f"{file.stem}：")
        pstats.Stats(str(file), stream=sys.stderr).sort_stats("tottime").print_stats(FUNCTIONS)
