"""`daohu doctor`: looks at everything that has to be right, and says what to do about what is not."""

from __future__ import annotations

from dataclasses import asdict

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, complain, say

MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


@command
async def doctor(config: Config = None, as_json: AsJson = False) -> int:
    """检查设置、数据库、网关和各项计数，并说明如何修复；有一项不合格时退出码为 1。"""
    from broadcaster.cli.examination import examine

    settings = starting.load(config, quiet=True)
    findings = [finding async for finding in examine(settings)]
    sound = all(finding.verdict != "failed" for finding in findings)
    for finding in [] if as_json else findings:
        words = f"{MARKS[finding.verdict]} {finding.name}：{finding.what}"
        if finding.verdict == "ok":
            say(words)
        else:
            complain(words, remedy=finding.remedy and f"  {finding.remedy}")
    if as_json:
        answer({"ok": sound, "checks": [asdict(finding) for finding in findings]})
    elif sound:
        say("没有发现要修复的问题。")
    return OK if sound else FAILED
