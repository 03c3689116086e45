"""Wait for something to become true: look often, give up at a deadline, say what was awaited."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")

_PAUSE = 0.02


async def wait_until(condition: Callable[[], object], *, within: float = 60.0, what: str = "") -> Any:
    """The first true answer of `condition` (plain or a coroutine function); AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or condition}")
        await asyncio.sleep(_PAUSE)


def wait_for(condition: Callable[[], Found], *, within: float = 60.0, what: str = "") -> Found:
    """The same for tests without an event loop."""
    deadline = time.monotonic() + within
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or condition}")
        time.sleep(_PAUSE)
