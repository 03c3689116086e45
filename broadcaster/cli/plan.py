"""`daohu plan`: how long an alert, or so many recipients, will take on each channel, told before anything goes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, on_terminal, say
from broadcaster.errors import InputError
from broadcaster.ports import Medium

if TYPE_CHECKING:
    from broadcaster.capacity.findings import Translate
    from broadcaster.capacity.forecast import Machine
    from broadcaster.capacity.planner import Outlook

LARGEST = 64 * 1024
"""Bytes of a text; a text message ends far before."""

WIDTH = 160
"""Columns of the table where no terminal says how many there are."""

MARKS = {"error": ("✗", typer.colors.RED), "warning": ("!", typer.colors.YELLOW), "notice": ("·", None)}

Which = Annotated[str, typer.Argument(metavar="[ALERT]", help="预警的编号、标识或回复码；草稿也可以。")]
Recipients = Annotated[
    int | None,
    typer.Option("--recipients", min=1, max=100_000_000, help="不看预警，只按这么多接收者计算；不需要数据库。"),
]
Channel = Annotated[str, typer.Option("--channel", help=f"与 --recipients 同用：{'、'.join(Medium)}。")]
Text = Annotated[
    Path | None, typer.Option("--text", metavar="FILE", help="与 --recipients 同用：短信全文，用来计算拆分条数。")
]
Exercise = Annotated[bool, typer.Option("--exercise", help="与 --recipients 同用：按演练网关计算；默认按真实发布。")]
Answer = Annotated[int, typer.Option("--answer", min=0, max=60_000, help="网关多久应答一条，毫秒。")]
Throughput = Annotated[
    float | None,
    typer.Option(
        "--throughput",
        min=1,
        help="各台机器一共每秒能发多少条，由 daohu bench dispatch 测得；默认按文档中的实测。",
        show_default=False,
    ),
]
Language = Annotated[str, typer.Option("--lang", help="zh 或 en。")]


@command
async def plan(
    alert: Which = "",
    *,
    recipients: Recipients = None,
    channel: Channel = Medium.SMS.value,
    text: Text = None,
    exercise: Exercise = False,
    answer_ms: Answer = 50,
    throughput: Throughput = None,
    lang: Language = "zh",
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """发布之前，算出各渠道要发多久、受什么限制、来不来得及；有人收不到时退出码为 1。"""
    from broadcaster.catalogue import CHINESE, ENGLISH, catalogue

    if bool(alert) == (recipients is not None):
        raise InputError("请写明一条预警，或者 --recipients。", remedy="两者写一个。")
    if lang not in (CHINESE, ENGLISH):
        raise InputError(f"没有这种语言：{lang}", remedy="可用的有：zh、en。")
    translate = catalogue("broadcaster.capacity", lang).gettext
    machine = _machine(answer_ms / 1000, throughput)
    if recipients is None:
        _refuse_options(channel=channel, text=text, exercise=exercise)
        outlook = await _of_alert(alert, config, translate, machine)
    else:
        outlook = _of_recipients(recipients, _medium(channel), text, config, translate, machine, exercise=exercise)
    if as_json:
        import msgspec

        answer(msgspec.to_builtins(outlook))
    else:
        _show(outlook, translate)
    return OK if outlook.everybody_in_time else FAILED


def _machine(answer_seconds: float, throughput: float | None) -> Machine:
    from dataclasses import replace

    from broadcaster.capacity.planner import MEASURED

    machine = replace(MEASURED, answer=answer_seconds)
    return replace(machine, submitted_per_s=throughput, source="--throughput") if throughput else machine


def _medium(channel: str) -> Medium:
    if channel not in list(Medium):
        raise InputError(f"没有这个渠道：{channel}", remedy=f"可用的有：{'、'.join(Medium)}。")
    return Medium(channel)


def _refuse_options(*, channel: str, text: Path | None, exercise: bool) -> None:
    if channel != Medium.SMS or text is not None or exercise:
        raise InputError(
            "--channel、--text 和 --exercise 只与 --recipients 同用。", remedy="预警的渠道、文本和用途由它自己决定。"
        )


async def _of_alert(which: str, config: Path | None, translate: Translate, machine: Machine) -> Outlook:
    from broadcaster.cli.alert import named

    async with starting.house(config, application="daohu-plan") as house:
        record = await named(which)
        return await house.planner.outlook(record.id, translate, machine)


def _of_recipients(
    recipients: int,
    channel: Medium,
    text: Path | None,
    config: Path | None,
    translate: Translate,
    machine: Machine,
    *,
    exercise: bool,
) -> Outlook:
    from broadcaster.capacity.planner import outlook_of_recipients
    from broadcaster.registry import Registry

    settings = starting.load(config, quiet=True)
    words = _words(text) if text is not None else None
    return outlook_of_recipients(
        recipients,
        channel,
        settings.gateways,
        Registry.installed().capabilities,
        translate,
        rehearsal=exercise,
        words=words,
        machine=machine,
    )


def _words(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file} 太大。", remedy=f"最多 {LARGEST // 1024} KB。")
        words = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"读不了 {file}：{error.strerror}。", remedy="请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} 不是 UTF-8 编码的文本。", remedy="请用 UTF-8 重新保存。") from error
    if not words:
        raise InputError(f"{file} 是空的。", remedy="请写上短信全文。")
    return words


def _show(outlook: Outlook, translate: Translate) -> None:
    from rich.console import Console

    from broadcaster.capacity.table import lines, table

    for line in lines(outlook, translate):
        say(line)
    Console(width=None if on_terminal() else WIDTH).print(table(outlook.forecast, translate))
    for finding in outlook.findings:
        mark, colour = MARKS[finding.severity.value]
        say(typer.style(f"{mark} {finding.what}", fg=colour))
        if finding.remedy:
            say(f"    {finding.remedy}")
