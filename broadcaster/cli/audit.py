"""`daohu audit verify`: whether the audit trail is whole."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import FAILED, OK, command
from broadcaster.cli.chinese import ChineseCommand, group
from broadcaster.cli.options import AsJson, Config
from broadcaster.cli.output import answer, complain, say
from broadcaster.errors import InputError

app = group("审计记录。")

Expected = Annotated[
    str,
    typer.Option("--head", metavar="SEQ:DIGEST", help="以前记下的末条（序号:摘要），用来证明末尾没有被截去。"),
]


@app.command("verify", cls=ChineseCommand)
@command
async def verify(config: Config = None, head: Expected = "", as_json: AsJson = False) -> int:
    """逐条核对审计记录的散列链；有改动或缺失时退出码为 1。"""
    from broadcaster.security import audit

    expected = None
    if head:
        seq, _, digest = head.partition(":")
        if not seq.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InputError(f"不是审计记录的末条：{head}", remedy="应为 序号:64位十六进制摘要。")
        expected = audit.Head(int(seq), digest)
    async with starting.house(config, application="daohu-audit") as house, house.database.connection() as connection:
        verdict = await audit.verify(connection, expected)
    whole = verdict.broken is None
    if as_json:
        answer({"whole": whole, **asdict(verdict)})
    elif whole:
        say(f"审计记录完整：{verdict.entries} 条，末条 {verdict.head.seq}:{verdict.head.digest}")
    else:
        complain(f"审计记录在第 {verdict.broken} 条断开：{verdict.why}", remedy="请保全数据库，查明是谁在何时改动的。")
    return OK if whole else FAILED
