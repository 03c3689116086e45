"""The web and the worker of one process: what `serve`, `worker` and `demo` run."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping

import structlog
from aiohttp.web import Application

from broadcaster.cli.formats import cap_format
from broadcaster.errors import UnavailableError
from broadcaster.house import House
from broadcaster.web.app import build_app, start
from broadcaster.web.context import Callback, Context

_REASONS = {errno.EADDRINUSE: "端口已被占用", errno.EACCES: "没有权限", errno.EADDRNOTAVAIL: "本机没有这个地址"}

log = structlog.get_logger()


async def serve_web(house: House) -> None:
    """Answer requests until cancelled. `UnavailableError` when the address cannot be listened on."""
    async with house.callbacks() as callbacks:
        called = {name: Callback(*parts) for name, parts in callbacks.items()}
        await house.attended("serve", _serve(house, build_app(web_context(house, called))))


async def _serve(house: House, app: Application) -> None:
    web = house.settings.web
    try:
        runner = await start(app, web.host, web.port)
    except OSError as error:
        raise UnavailableError(
            f"不能监听 {web.host}:{web.port}：{_REASONS.get(error.errno or 0, error.strerror or error)}。",
            remedy="请检查 [web] host 和 port，或停止占用它的程序。",
        ) from error
    log.info("web.listening", host=web.host, port=web.port, public_url=web.public_url)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def web_context(house: House, callbacks: Mapping[str, Callback]) -> Context:
    """What the web needs of the house."""
    return Context(
        database=house.database,
        clock=house.clock,
        settings=house.settings,
        bell=house.doorbell,
        issue=house.issue,
        announce=house.announce,
        tokens=house.tokens,
        factor=house.factor,
        forecast=house.planner.outlook,
        foresee=house.planner.outlook_of,
        office=house.office,
        abilities=house.registry.capabilities,
        studio=house.studio,
        intake=house.intake,
        secrets=house.secrets,
        cap=cap_format(house.settings),
        followers=house.followers,
        invite=house.inviting.invitations if len(house.inviting.able()) == 1 else None,
        callbacks=callbacks,
        probes={"doorbell": lambda: _doorbell(house)},
        trusted_proxies=frozenset(house.settings.web.trusted_proxies),
    )


async def _doorbell(house: House) -> str:
    return "" if await house.doorbell.answers() else "Redis 没有应答；系统照常运行，只是稍慢。"
