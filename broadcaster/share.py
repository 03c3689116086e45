"""What a context does in a worker beside the sending: each says its share (`<context>/share.py`), the house puts them
together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from broadcaster.tasks import ENDING, ended, look_after

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


async def together(
    sending: Coroutine[Any, Any, None], shares: Sequence[Share], passing: tuple[type[BaseException], ...]
) -> None:
    """Do `sending`, and beside it what is tended and what runs, until it ends or this is cancelled. All wind up at the
    same time, so that what one needs for that is not added to what another does. Faults that are `passing` end no
    tending."""
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
    main = asyncio.create_task(sending, name="sending")
    try:
        await asyncio.wait({main})
    finally:
        main.cancel()  # it has a time limit of its own
        by = asyncio.get_running_loop().time() + ENDING
        await asyncio.gather(asyncio.wait({main}), *(ended(task, patience=patience, by=by) for task, patience in tasks))
        if not main.cancelled():
            main.exception()  # looked at; `result` raises it below
    main.result()
