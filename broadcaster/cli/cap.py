"""`daohu cap check`: judge CAP files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, say
from broadcaster.errors import InputError

app = group("CAP（公共预警协议）文件。")

Paths = Annotated[list[Path], typer.Argument(metavar="PATH…", help="CAP 文件，或装有 CAP 文件的目录。")]

WORDS = {"accepted": "接受", "accepted-with-warnings": "接受（有警告）", "refused": "拒绝"}


@app.command("check", cls=ChineseCommand)
@command
async def check(paths: Paths, config: Config = None, as_json: AsJson = False) -> int:  # noqa: ARG001 - every command has it
    """判断 CAP 文件能否使用，并说明理由；有文件被拒绝时退出码为 1。"""
    from adapters.cap import Verdict, judge_all, summary

    for path in paths:
        if not path.exists():
            raise InputError(f"没有这个文件或目录：{path}", remedy="请检查路径。")
    judgements = list(judge_all(paths))
    for one in [] if as_json else judgements:
        say(f"{WORDS[one.verdict.value]}  {one.path}")
        for reason in one.reasons:
            say(f"    {reason}")
    if as_json:
        answer(dict(summary(judgements)))
    return FAILED if any(one.verdict is Verdict.REFUSED for one in judgements) else OK
