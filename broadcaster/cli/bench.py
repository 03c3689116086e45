"""`daohu bench`: how fast this machine sends, and where the time goes."""

from __future__ import annotations

import pstats
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
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


class Protocol(StrEnum):
    """What may be spoken to the simulated carrier."""

    LINE = "line"
    CMPP = "cmpp"
    SMPP = "smpp"


class Alone(StrEnum):
    """The drivers that can be measured alone."""

    LINE = "line"
    CMPP = "cmpp"
    SMPP = "smpp"
    SMTP = "smtp"
    OFFICIAL = "official"
    WECOM = "wecom"


Speaks = Annotated[Protocol, typer.Option("--driver", help="与模拟运营商之间的协议。")]
Drivers = Annotated[list[Alone] | None, typer.Argument(help="要测量的驱动；不写则全部。", show_default=False)]
Messages = Annotated[int, typer.Option("--messages", min=1000, max=5_000_000, help="全速测量的消息数。")]
Latency = Annotated[float, typer.Option("--latency", min=0.001, max=5, help="模拟运营商答复一条消息的时间，秒。")]
Window = Annotated[int, typer.Option("--window", min=1, max=1000, help="有答复时间时的窗口，条。")]

Readings = Annotated[int, typer.Option("--readings", min=1000, max=50_000_000, help="读数的条数。")]
Stations = Annotated[int, typer.Option("--stations", min=10, max=100_000, help="测站的个数。")]
Rules = Annotated[int, typer.Option("--rules", min=0, max=1000, help="同时看的规则数。")]
Writers = Annotated[int, typer.Option("--writers", min=1, max=64, help="同时写入的个数。")]
Batch = Annotated[int, typer.Option("--batch", min=1, max=20_000, help="一次写入的条数。")]

FUNCTIONS = 30
"""Lines of a profile that are shown."""


@app.command("dispatch", cls=ChineseCommand)
@command
async def dispatch(
    *,
    config: Config = None,  # noqa: ARG001 - the bench brings its own settings; every command has the option
    recipients: Recipients = [100_000],  # noqa: B006 - typer copies it
    workers: Workers = 1,
    driver: Speaks = Protocol.LINE,
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
                recipients=number,
                workers=workers,
                folder=folder,
                driver=driver.value,
                database=database,
                redis=redis,
                profile=profile,
            )
            runs.append(await bench_dispatch(task, lambda _, come: drawn.update(line, completed=come)))  # noqa: B023
            drawn.stop()
            if profile:
                _tell_profile(folder)
    say(table(runs))
    if as_json:
        answer(asdict(runs[-1]) if len(runs) == 1 else {"runs": [asdict(run) for run in runs]})
    return OK if not any(run.lost for run in runs) else FAILED


@app.command("driver", cls=ChineseCommand)
@command
async def driver(
    *,
    drivers: Drivers = None,
    config: Config = None,  # noqa: ARG001 - likewise
    messages: Messages = 50_000,
    latency: Latency = 0.02,
    window: Window = 16,
    as_json: AsJson = False,
) -> int:
    """单独测量驱动：窗口用到几成，每条消息（含回执）用多少处理器时间。对端是另一个进程。"""
    from broadcaster.bench.driver import BY_REQUEST, TEXTS, Task, bench_driver, table

    runs = []
    for one in drivers or list(Alone):
        slow = one.value in BY_REQUEST
        for text in ["short"] if slow else TEXTS:
            for waits in (latency, 0.0):
                count = max(200, int(5 * window / latency)) if waits else messages
                count = max(200, count // (20 if slow else 1))
                with _folder() as folder:
                    note(f"{one} {text} {waits * 1000:g} ms…")
                    task = Task(
                        driver=one.value,
                        text=text,
                        messages=count,
                        folder=folder,
                        window=window if waits else 0,
                        latency=waits,
                    )
                    runs.append(await bench_driver(task))
    say(table(runs))
    if as_json:
        answer({"runs": [asdict(run) for run in runs]})
    return OK


@app.command("speech", cls=ChineseCommand)
@command
async def speech(*, config: Config = None, as_json: AsJson = False) -> int:
    """测量语音：设置中的每个引擎每秒能说多少秒的话，各种格式的广播要做多久，再次发布时多久。"""
    from broadcaster.bench.speech import bench_speech, table
    from broadcaster.cli import starting
    from broadcaster.house import studio_of

    settings = starting.load(config, quiet=True)
    with _folder() as folder:
        studio = studio_of(settings, folder)
        try:
            figures = await bench_speech(studio)
        finally:
            await studio.close()
    say(table(figures))
    if as_json:
        answer(asdict(figures))
    return OK


@app.command("readings", cls=ChineseCommand)
@command
async def readings(
    *,
    config: Config = None,  # noqa: ARG001 - likewise
    count: Readings = 400_000,
    stations: Stations = 4000,
    rules: Rules = 20,
    writers: Writers = 2,
    batch: Batch = 5000,
    database: Database = "embedded",
    as_json: AsJson = False,
) -> int:
    """测量读数：每秒能检查、保存并交给规则多少条，与直接 COPY 同样的行相比。"""
    from broadcaster.bench.readings import bench_readings

    with _folder() as folder:
        found = await bench_readings(
            folder,
            readings=count,
            stations=stations,
            rules=rules,
            writers=writers,
            batch=batch,
            database=database,
        )
    say(
        f"{found.readings} 条读数，{found.stations} 个站，{found.rules} 条规则：{found.seconds:.1f} 秒，"
        f"每秒 {found.readings_per_s:,.0f} 条，每条用处理器 {found.cpu_us:.0f} 微秒；"
        f"直接 COPY 每秒 {found.copy_per_s:,.0f} 条（{found.ratio:.0%}）；"
        f"规则看了 {found.looks} 遍；丢失 {found.lost}"
    )
    if as_json:
        answer(asdict(found))
    return OK if not found.lost else FAILED


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
