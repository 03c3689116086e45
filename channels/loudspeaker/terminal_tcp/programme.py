"""What a terminal plays and is to play, and what has to make way for something more important.

The platform decides by itself: that terminals put an emergency before a daily programme is required of them, but not
which of two emergencies they let go on. An option leaves it to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from broadcaster.ports import DeliveryKey
from channels.loudspeaker.terminal_tcp.orders import Play

FOREIGN_EMERGENCY = -1
"""The rank of an emergency that another platform began: nobody here stops it, and nobody waits for it."""

DAILY = 9
"""The rank of everything that is no emergency. Ours have the alert's urgency, 0 (red) to 3."""

GAP = 2.0
"""Seconds between two broadcasts."""

MOST = 32
"""Broadcasts of one terminal that are remembered."""


class Task:
    """A broadcast on one terminal: `begins` and `ends` by the loop's clock, `seconds` that it should sound; `alert` is
    CAP's identifier. `order` is None for what others began."""

    __slots__ = ("alert", "begins", "ends", "key", "message", "order", "rank", "seconds", "started")

    def __init__(
        self, message: str, rank: int, begins: float, ends: float, *, order: Play | None = None,
        key: DeliveryKey | None = None, seconds: float = 0.0, started: bool = False, alert: str = "",
    ) -> None:  # fmt: skip
        self.message = message
        self.rank = rank
        self.begins = begins
        self.ends = ends
        self.order = order
        self.key = key
        self.seconds = seconds
        self.started = started
        self.alert = alert


class Room(NamedTuple):
    """What is to be done for a new broadcast: `stopped` first, then it at `begins`, then `moved` again, later."""

    stopped: list[Task]
    begins: float
    moved: list[Task]


class Programme:
    """One terminal's broadcasts, by message."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def __iter__(self) -> Iterator[Task]:
        return iter(list(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def find(self, message: str) -> Task | None:
        return self._tasks.get(message)

    def put(self, task: Task) -> None:
        """It plays, or will; the oldest is forgotten where there are too many."""
        self._tasks.pop(task.message, None)
        self._tasks[task.message] = task
        if len(self._tasks) > MOST:
            del self._tasks[next(iter(self._tasks))]

    def over(self, message: str) -> Task | None:
        """It is over, or was never begun; what it was."""
        return self._tasks.pop(message, None)

    def room(
        self, message: str, rank: int, now: float, lasts: float, *, stops: bool, replaced: Sequence[str] = ()
    ) -> Room:
        """How a broadcast of `rank` that `lasts` seconds is fitted in: what plays of lower rank is stopped, what waits
        of lower rank is moved behind it, of its own or higher rank it waits for the end. Alerts that it has `replaced`
        are stopped whatever their rank. Not `stops`: the terminal sees to what is lower."""
        others = [task for task in self._tasks.values() if task.message != message and task.ends > now]
        old = [task for task in others if task.alert and task.alert in replaced]
        others = [task for task in others if task not in old]
        ahead = [task.ends + GAP for task in others if 0 <= task.rank <= rank]
        begins = max(ahead, default=now)
        stopped = old
        moved: list[Task] = []
        if stops:
            ends = begins + lasts
            lower = sorted((task for task in others if task.rank > rank), key=lambda task: task.begins)
            for task in lower:
                if task.begins > now and not task.started and task.order is not None:
                    if task.begins < ends + GAP:
                        moved.append(task)
                elif task.ends > begins:
                    stopped.append(task)
        return Room(stopped, begins, moved)
