"""What processes use: CPU seconds and the most memory, looked at from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psutil

MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class Meter:
    """One group of processes. `look` often: what has ended meanwhile keeps the CPU time that was last seen."""

    pids: Sequence[int]
    rss_max: float = 0.0
    _seen: dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        """Note CPU time and memory (`rss_max`: MB of the largest process) of each process and what it started."""
        for process in _family(self.pids):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                self._seen[process.pid] = times.user + times.system
                if process.pid in self.pids:
                    self.rss_max = max(self.rss_max, process.memory_info().rss / MEGABYTE)

    @property
    def cpu(self) -> float:
        """CPU seconds used since the processes began."""
        return sum(self._seen.values())


def _family(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found
