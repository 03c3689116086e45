"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any


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
