"""What a context does in a worker beside the sending: each says its share (`<context>/share.py`), the house puts them
together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from broadcaster.tasks import ended, look_after

Chore: TypeAlias = Callable[[], Awaitable[int]]
"""Does what is due; how much that was: as long as there was any, it is called again at once."""

Work: TypeAlias = Callable[[], Awaitable[bool]]
"""Does one piece of something; whether there was any."""

Running: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Goes on until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Share:
    """The worker does the `chores` in turn whenever it wakes. What is `tended` and what is `running` each has a task of
    its own, by name, so that one that is slow holds up no other; what runs has `patience` seconds to wind up."""

    chores: Sequence[Chore] = ()
    tended: Mapping[str, Work] = field(default_factory=dict)
    running: Mapping[str, Running] = field(default_factory=dict)
    patience: float = 0.5


@asynccontextmanager
async def at_work(shares: Sequence[Share], passing: tuple[type[BaseException], ...]) -> AsyncIterator[None]:
    """What is tended and what runs is done, as long as this is open; faults that are `passing` end no tending."""
    tasks = [
        (asyncio.create_task(look_after(name, work, passing), name=name), 0.5)
        for share in shares
        for name, work in share.tended.items()
    ]
    tasks += [
        (asyncio.create_task(run(), name=name), share.patience)
        for share in shares
        for name, run in share.running.items()
    ]
    try:
        yield
    finally:
        await asyncio.gather(*(ended(task, patience=patience) for task, patience in tasks))
