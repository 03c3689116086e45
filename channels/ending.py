"""Ending what runs beside a connection."""

from __future__ import annotations

import asyncio


async def wind_up(task: asyncio.Task[None] | None, within: float) -> None:
    """Leave a task that was told to stop `within` seconds to come to its end, then end it; it is over when this
    returns, also where it is cancelled."""
    if task is not None:
        try:
            await asyncio.wait([task], timeout=within)
        finally:
            task.cancel()
            await asyncio.wait([task])
