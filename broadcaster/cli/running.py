"""Long-running commands: work until told to stop (SIGTERM, SIGINT), or until a part of the work ends by itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from typing import Any

import structlog

from broadcaster.cli.overdue import WITH_SERVERS, end_within
from broadcaster.errors import DaohuError
from broadcaster.garbage import collect_rarely

log = structlog.get_logger()

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_until_stopped(works: Iterable[Coroutine[Any, Any, None]], *, within: float = WITH_SERVERS) -> int:
    """Run all of `works` until a signal comes; then cancel them and wait for them to wind up. Returns the exit code.
    `within` seconds from the signal, or from such an end, the process is gone, whatever hangs.

    A work that ends before, with or without an error, ends the others too: a process without its worker is no worker.
    An error with a remedy is raised when all have wound up; any other is logged with its trace.
    """
    collect_rarely()
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in _SIGNALS:
        loop.add_signal_handler(name, _stop, stopped, within)
    tasks = [asyncio.create_task(work) for work in works]
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        by_itself = not stopped.is_set()
    finally:
        overdue = None if stopped.is_set() else end_within(within)
        for task in [waiting, *tasks]:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        if overdue is not None:
            overdue.cancel()
        for name in _SIGNALS:
            loop.remove_signal_handler(name)
    faults = [end for end in ends if isinstance(end, Exception)]
    told = next((fault for fault in faults if isinstance(fault, DaohuError)), None)
    for fault in faults:
        if str(fault) != str(told):  # a process that is outdated is so in all its parts
            log.error("process.part_failed", exc_info=fault)
    if told is not None:
        raise told
    return 1 if by_itself or faults else 0


def _stop(stopped: asyncio.Event, within: float) -> None:
    if not stopped.is_set():
        stopped.set()
        end_within(within)
