"""`daohu doctor`: looks at everything that has to be right, and says what to do about what is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, say

if TYPE_CHECKING:
    from broadcaster.cli.examination import Finding

MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
COLOURS = {"ok": None, "warning": typer.colors.YELLOW, "failed": typer.colors.RED}


@command
async def doctor(config: Config = None, as_json: AsJson = False) -> int:
    """检查设置、数据库、网关和各项计数，并说明如何修复；有一项不合格时退出码为 1。"""
    from broadcaster.cli.examination import examine

    settings = starting.load(config, quiet=True)
    findings = [finding async for finding in examine(settings)]
    sound = all(finding.verdict != "failed" for finding in findings)
    if as_json:
        answer({"ok": sound, "checks": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    return OK if sound else FAILED


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        say(typer.style(f"{MARKS[finding.verdict]} {finding.name}：{finding.what}", fg=COLOURS[finding.verdict]))
        if finding.remedy:
            say(f"    {finding.remedy}")
    wrong, doubtful = (sum(one.verdict == verdict for one in findings) for verdict in ("failed", "warning"))
    if wrong or doubtful:
        say(f"不合格 {wrong} 项，需要留意 {doubtful} 项。")
    else:
        say("没有发现要修复的问题。")
