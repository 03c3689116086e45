"""Ending tasks for certain, and looking for work until one is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

_LOG = structlog.get_logger(__name__)


async def ended(task: asyncio.Task[Any], *, patience: float = 0.5) -> None:
    """Cancel `task` and wait until it is over, whatever its result.

    A library may mistake a cancellation for a time-out of its own when both meet, and go on: what still runs after
    `patience` seconds is told again. Leave a task that winds up in order the time it needs for that.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=patience)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody is warned of it


async def look_after(
    what: str, work: Callable[[], Awaitable[bool]], passing: tuple[type[BaseException], ...], look: float = 1.0
) -> None:
    """Do `work` as long as it finds any, and look again every `look` seconds, until cancelled. Faults that are
    `passing`, and one piece that fails in a way nobody thought of, do not end the looking after all others."""
    while True:
        try:
            while await work():
                pass
        except passing as error:
            _LOG.warning("work.database_away", work=what, error=type(error).__name__)
        except Exception:
            _LOG.exception("work.fault", work=what)
        await asyncio.sleep(look)
