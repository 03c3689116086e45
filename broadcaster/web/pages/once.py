"""Doing once what many ask for at the same moment: the first one works, all others wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from broadcaster.recent import Recent

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST = 500
"""Of how many keys the newest value is kept."""


class Once(Generic[Key, Value]):
    """The value of each key in its newest state."""

    def __init__(self) -> None:
        self._made: Recent[Key, tuple[str, asyncio.Task[Value]]] = Recent(MOST)

    async def get(self, key: Key, state: str, make: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The value of `key` in `state`. What `make` raises, all who wait get; whoever asks later tries anew."""
        found = self._made.get(key)
        if found is None or found[0] != state or _failed(found[1]):
            found = state, asyncio.create_task(make())
            self._made[key] = found
        return await asyncio.shield(found[1])


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
