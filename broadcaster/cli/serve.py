"""`daohu serve`: the web and the API; with the embedded database also the worker."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster.cli import starting
from broadcaster.cli.boundary import command
from broadcaster.cli.options import Config
from broadcaster.cli.output import note
from broadcaster.cli.overdue import ends_within
from broadcaster.cli.running import run_until_stopped
from broadcaster.settings import EMBEDDED

WithWorker = Annotated[
    bool | None,
    typer.Option("--worker/--no-worker", help="本进程是否兼做发送；默认只在使用内置数据库时兼做。", show_default=False),
]


@command
async def serve(config: Config = None, with_worker: WithWorker = None) -> int:
    """运行网页与接口；使用内置数据库时，同一进程也负责发送。"""
    from broadcaster.cli.serving import serve_web

    async with starting.house(config, application="daohu-serve", quiet=False) as house:
        web = house.settings.web
        works = [serve_web(house)]
        if house.settings.database.url == EMBEDDED if with_worker is None else with_worker:
            works.append(house.work())
        note(f"到户正在运行：{web.public_url}（监听 {web.host}:{web.port}）。按 Ctrl-C 停止。")
        return await run_until_stopped(works, within=ends_within(house.settings))
