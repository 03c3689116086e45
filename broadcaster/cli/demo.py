"""`daohu demo`: the whole main job on an invented district, then the accounting."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer
from rich.console import Console
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.table import Table

from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, bar, note, on_terminal, say, screen
from broadcaster.cli.running import run_until_stopped
from broadcaster.cli.status import CHANNELS, STATES
from broadcaster.errors import InputError, UnavailableError
from broadcaster.logs import configure_logs

if TYPE_CHECKING:
    from broadcaster.demo.accounting import Accounting
    from broadcaster.demo.play import Demo, Outcome
    from broadcaster.progress import Progress

Households = Annotated[int, typer.Option("--households", min=100, max=1_000_000, help="虚拟区县的户数。")]


class Scenario(StrEnum):
    """What is played: a warning that officers issue, or a storm in which nobody lifts a hand."""

    WARNING = "warning"
    TYPHOON = "typhoon"


Play = Annotated[
    Scenario,
    typer.Option(
        "--scenario",
        help="warning：值班员发布红色预警和动员令；typhoon：一场台风，从测站的第一个读数到入户任务，无人动手。",
    ),
]
Hazard = Annotated[str, typer.Option("--hazard", help="warning 剧本的灾种，如 typhoon、rainstorm、geological。")]
Serve = Annotated[
    bool | None,
    typer.Option("--serve/--no-serve", help="演示后网页继续运行；默认在终端上运行时继续。", show_default=False),
]
Seed = Annotated[int, typer.Option("--seed", help="随机种子；相同的种子得到相同的区县和行为。")]
Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="数据目录；不写则用临时目录，结束后删除。")
]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="网页的端口；不写则从 8480 起取空闲的。", show_default=False),
]
HOST = "127.0.0.1"
ACCOUNT = "demo"
"""Who may look at the pages."""

OF_AN_ORDER = (
    *("deliveries", "states", "submitted", "delivered", "failed"),
    *("units", "acknowledged_units", "escalated_units", "exhausted_units"),
    *("duplicates", "lost", "seconds", "conserved"),
)
"""What is told of the mobilization order's accounts: it goes to no household."""

PORTS = range(8480, 8500)


Ending = tuple[dict[str, Any], bool]
"""What a play tells as JSON, and whether all held."""


@command
async def demo(
    *,
    config: Config = None,  # noqa: ARG001 - the demo brings its own settings; every command has the option
    households: Households = 5000,
    scenario: Play = Scenario.WARNING,
    hazard: Hazard = "typhoon",
    serve: Serve = None,
    seed: Seed = 1,
    folder: Folder = None,
    port: Port = None,
    as_json: AsJson = False,
) -> int:
    """在虚拟区县上演示全过程：发布红色预警和动员令，送达、确认、升级、入户，对账，再更新和解除；或一场台风，从读数到入户。"""
    from broadcaster.alerts.hazard import HAZARDS
    from broadcaster.cli.serving import serve_web
    from broadcaster.demo import play, storm

    if hazard not in HAZARDS:
        raise InputError(f"没有这个灾种：{hazard}", remedy=f"可用的有：{'、'.join(HAZARDS)}。")
    if port is None:
        port = next((one for one in PORTS if _free(one)), PORTS[0])
    if not _free(port):  # mails' delivery reports come in there, whether anybody looks at the pages or not
        raise UnavailableError(f"端口 {port} 已被占用。", remedy="请用 --port 指定另一个，或停止占用它的程序。")
    hour = storm.hour_of(households) if scenario is Scenario.TYPHOON else None
    with _place(folder) as place, bar("生成虚拟区县") as progress:
        task = progress.add_task("", total=households)
        async with play.set_stage(
            place,
            households=households,
            seed=seed,
            port=port,
            public_url=f"http://{HOST}:{port}",
            progress=lambda done, _: progress.update(task, completed=done),
            serve=serve_web,
            hour=hour,
        ) as stage:
            progress.stop()
            if hour is None:
                content, sound = await _warn(stage, hazard, as_json=as_json)
            else:
                content, sound = await _storm(stage, hour, as_json=as_json)
            if on_terminal() if serve is None else serve:
                await _keep_serving(stage)
    if as_json:
        answer(content)
    return OK if sound else FAILED


async def _warn(stage: Demo, hazard: str, *, as_json: bool) -> Ending:
    """A warning and an order, by officers."""
    from broadcaster.demo import play

    with _watching() as drawn:

        def accounted(warning: Accounting, mobilization: Accounting) -> None:
            drawn.rest()
            if not as_json:
                _tell(warning)
                _tell_the_order(mobilization)

        outcome = await play.perform(stage, hazard, drawn.show, accounted)
    if not as_json:
        _tell_the_rest(outcome)
    order = asdict(outcome.mobilization)
    content = {**asdict(outcome.accounting), "mobilization": {name: order[name] for name in OF_AN_ORDER}}
    accounts = (outcome.accounting, outcome.mobilization)
    return content, all(one.conserved and not one.lost for one in accounts) and not outcome.overtakings


async def _storm(stage: Demo, hour: float, *, as_json: bool) -> Ending:
    """A storm, by nobody: its pages can be looked at from the beginning."""
    from broadcaster.cli import storm as words
    from broadcaster.demo import chronicle, storm

    if not as_json:
        await _open_console(stage)
        say(f"网页：{stage.house.settings.web.public_url}（台风过境时即可查看）")
    with _watching() as drawn:
        played = await storm.perform(stage, hour, drawn.show)
    story = await chronicle.chronicle(stage, played)
    if not as_json:
        words.tell(story, hour)
    return words.content(story, hour), not story.broken


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The data folder: the one asked for, or one that goes away afterwards. Its name is short for the sockets in it."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="daohu-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class _Screen:
    """Live counts on a terminal, one table per act that stays when the act is over; elsewhere one line per act."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._act = ""
        self._live: Live | None = None

    def show(self, act: str, now: Progress | None) -> None:
        if act != self._act:
            self.rest()
            self._act = act
            if self._console.is_terminal:
                self._live = Live(console=self._console, refresh_per_second=4)
                self._live.start()
            else:
                note(f"{act}…")
        if self._live is not None and now is not None:
            self._live.update(_picture(act, now))

    def rest(self) -> None:
        """Leave what is drawn where it is, so that something may be said below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None


@contextmanager
def _watching() -> Iterator[_Screen]:
    """A screen to show acts on. Logs go above what it draws, not through it."""
    console = screen()
    if console.is_terminal:
        configure_logs(level="warning", stream=cast(TextIO, FileProxy(console, sys.stderr)))
    drawn = _Screen(console)
    try:
        yield drawn
    finally:
        drawn.rest()


def _picture(act: str, now: Progress) -> Table:
    table = Table("渠道", *STATES.values(), title=act)
    for channel, counts in now.channels.items():
        table.add_row(CHANNELS.get(channel, channel), *(str(counts[state]) for state in STATES))
    homes, units = now.households, now.units
    table.caption = (
        f"住户 {homes.total}：已到 {homes.reached}，等待 {homes.pending}，未到 {homes.unreached}\n"
        f"责任单元 {units.total}：已确认 {units.acknowledged}，等待 {units.waiting}，升级过 {units.escalated}；"
        f"入户任务 {now.door_tasks.open}"
    )
    return table


def _tell(one: Accounting) -> None:
    say(f"对账（{one.seconds:.0f} 秒）")
    say(f"  住户 {one.households}：已到 {one.reached_households}，未到 {one.unreached_households}")
    say(f"  发送 {one.deliveries}：" + "，".join(f"{word} {one.states[state]}" for state, word in STATES.items()))
    say(
        f"  责任单元 {one.units}：已确认 {one.acknowledged_units}，升级过 {one.escalated_units}，"
        f"无人确认 {one.exhausted_units}"
    )
    say(f"  入户任务 {one.door_tasks}，求助 {one.help_requests}，重复 {one.duplicates}，丢失 {one.lost}")
    say(f"  守恒：{'是' if one.conserved else '否'}")


def _tell_the_order(one: Accounting) -> None:
    say(f"动员令（{one.seconds:.0f} 秒）：发送 {one.deliveries}，重复 {one.duplicates}，丢失 {one.lost}")
    say(
        f"  责任单元 {one.units}：已确认 {one.acknowledged_units}，升级过 {one.escalated_units}，"
        f"无人确认 {one.exhausted_units}"
    )


def _tell_the_rest(outcome: Outcome) -> None:
    for words, now in (("更新", outcome.updated), ("解除", outcome.cancelled)):
        say(f"{words}：发送 {sum(now.deliveries.values())}，发完时住户已到 {now.households.reached}")
    say(f"次序颠倒：{outcome.overtakings}")


async def _keep_serving(stage: Demo) -> None:
    """Leave the web running for whoever wants to look."""
    await _open_console(stage)
    say(f"网页：{stage.house.settings.web.public_url}（按 Ctrl-C 结束）")
    await run_until_stopped([])


async def _open_console(stage: Demo) -> None:
    """Have an account to sign in with, and say its password when it is made."""
    from broadcaster.security.accounts import create_administrator

    house = stage.house
    async with house.database.connection() as connection:
        known = await connection.fetchval("SELECT EXISTS (SELECT FROM account WHERE name = $1)", ACCOUNT)
    if not known:
        password = await create_administrator(house.database, ACCOUNT, house.settings.district.code, house.clock.now())
        say(f"账号 {ACCOUNT}，口令 {password}")
