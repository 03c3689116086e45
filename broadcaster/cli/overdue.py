"""The end of a process that was told to end and does not: it says who is still there, and goes. Nothing is lost by it:
what was not finished is taken up as after a crash."""

from __future__ import annotations

import asyncio
import os
import threading

import structlog

from broadcaster.settings import EMBEDDED, Settings
from broadcaster.tasks import whereabouts

log = structlog.get_logger()

OF_ITS_OWN, WITH_SERVERS = 27.0, 80.0
"""Seconds from the signal to the end: of a process alone, and of one that has PostgreSQL to stop as well. systemd kills
3 and 10 s later (deploy/systemd), and then nobody would know why."""

MOST = 20
"""Tasks that are told."""


def ends_within(settings: Settings) -> float:
    """How long a process with these settings may take to end."""
    return WITH_SERVERS if EMBEDDED in (settings.database.url, settings.redis.url) else OF_ITS_OWN


def end_within(seconds: float) -> threading.Timer:
    """End this process when so many seconds have passed and it is still there. The waiting is a thread's, for a loop
    that hangs looks at no clock. Cancel it where the end is not this process's."""
    timer = threading.Timer(seconds, _end, (asyncio.get_running_loop(), seconds))
    timer.daemon = True
    timer.start()
    return timer


def _end(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    try:
        left = [f"{task.get_name()}: {whereabouts(task)}" for task in asyncio.all_tasks(loop) if not task.done()]
        log.error("process.overdue", seconds=seconds, tasks=left[:MOST])
    finally:
        os._exit(1)
