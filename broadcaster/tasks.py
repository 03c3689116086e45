"""Ending tasks for certain, and looking for work until one is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import PurePath
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

_LOG = structlog.get_logger(__name__)

ENDING = 18.0
"""Seconds from the word to end until whatever still runs is left to itself. A process that is told to end has 30, in
which all that it is made of is to say good-bye, and what it opened is to be closed."""

DEEPEST = 30
"""Places that `whereabouts` tells."""

_FRAMES, _WAITS = ("cr_frame", "ag_frame", "gi_frame"), ("cr_await", "ag_await", "gi_yieldfrom")


async def ended(task: asyncio.Task[Any], *, patience: float = 0.5, by: float | None = None) -> None:
    """Cancel `task` and wait until it is over, whatever its result.

    A library may mistake a cancellation for a time-out of its own when both meet, and go on: what still runs after
    `patience` seconds is told again. Leave a task that winds up in order the time it needs for that. What still runs
    at the loop's time `by` is left to itself, and it is said where it stands.
    """
    now = asyncio.get_running_loop().time
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=patience if by is None else max(0.0, min(patience, by - now())))
        if by is not None and now() >= by and not task.done():
            _LOG.error("task.overdue", task=task.get_name(), at=whereabouts(task))
            return
    if not task.cancelled():
        task.exception()  # looked at, so that nobody is warned of it


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. A cancellation comes through only when it is over: cut off between the database's commit and
    its answer, nobody would know what is so. Who is told twice cuts it off."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task})
        finally:
            await ended(task)
        raise


def whereabouts(task: asyncio.Task[Any]) -> str:
    """The places in the code where a task waits, the innermost last."""
    places: list[str] = []
    waits: Any = task.get_coro()
    while waits is not None and len(places) < DEEPEST:
        frame = next((found for name in _FRAMES if (found := getattr(waits, name, None)) is not None), None)
        if frame is not None:
            places.append(f"{PurePath(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}")
        waits = next((found for name in _WAITS if (found := getattr(waits, name, None)) is not None), None)
    return " > ".join(places)


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
