"""`daohu worker`: one process's share of the sending. Any number may run."""

from __future__ import annotations

from broadcaster.cli import starting
from broadcaster.cli.boundary import command
from broadcaster.cli.options import Config
from broadcaster.cli.output import note
from broadcaster.cli.overdue import ends_within
from broadcaster.cli.running import run_until_stopped


@command
async def worker(config: Config = None) -> int:
    """运行一个发送进程；可在多台机器上运行任意多个。"""
    async with starting.house(config, application="daohu-worker", quiet=False) as house:
        note("发送进程正在运行。按 Ctrl-C 停止。")
        return await run_until_stopped([house.work()], within=ends_within(house.settings))
