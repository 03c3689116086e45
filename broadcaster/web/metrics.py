"""Numbers in Prometheus' text format: this process's own counters, and the gauges of the whole installation."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import groupby

import structlog

from broadcaster.database import DATABASE_AWAY
from broadcaster.gauges import Gauge

log = structlog.get_logger()

REFRESHES = 10_000
"""Of how many refreshes of live pages the times are kept."""

FRESH = 5.0
"""Seconds for which what was read of the database is good enough: however many watch, it is asked this often."""


class Metrics:
    """This process's counters, from its start."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self.watchers = 0
        self.refreshes: deque[float] = deque(maxlen=REFRESHES)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request that has been answered."""
        known = method if method in _METHODS else "OTHER"  # a stranger's words must not become labels
        self._requests[known, route, status] += 1
        self._seconds[route] += seconds  # type: ignore[assignment]  # typeshed knows counters of whole numbers only

    def refresh(self, seconds: float) -> None:
        """Note how long it took to bring one watcher up to date."""
        self.refreshes.append(seconds)

    def text(self, gauges: Iterable[Gauge]) -> str:
        """Everything in the exposition format, `gauges` too."""
        lines = ["# HELP daohu_http_requests_total Requests answered.", "# TYPE daohu_http_requests_total counter"]
        lines += [
            f'daohu_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self._requests.items())
        ]
        lines += [
            "# HELP daohu_http_request_seconds_total Seconds spent answering.",
            "# TYPE daohu_http_request_seconds_total counter",
        ]
        lines += [
            f'daohu_http_request_seconds_total{{route="{route}"}} {seconds:.6f}'
            for route, seconds in sorted(self._seconds.items())
        ]
        watching = Gauge("daohu_live_watchers", "Pages that watch an alert live.", self.watchers)
        lines += exposition([watching, *self._refreshing(), *gauges])
        return "\n".join(lines) + "\n"

    def _refreshing(self) -> Iterator[Gauge]:
        ordered = sorted(self.refreshes)
        for name, share in (("daohu_live_refresh_median_seconds", 0.5), ("daohu_live_refresh_slow_seconds", 0.99)):
            if ordered:
                value = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
                what = f"Until one watcher is up to date: at most so long for {share:.0%} of the last {REFRESHES}."
                yield Gauge(name, what, value)


def exposition(gauges: Iterable[Gauge]) -> Iterator[str]:
    """Gauges as lines: those of one name together, as the format demands."""
    for name, group in groupby(sorted(gauges, key=lambda gauge: gauge.name), key=lambda gauge: gauge.name):
        same = list(group)
        yield f"# HELP {name} {same[0].help}"
        yield f"# TYPE {name} gauge"
        for gauge in same:
            yield f"{name}{_labels(gauge.labels)} {gauge.value:.10g}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Reading:
    """What `read` gave, kept for a few seconds; who asks meanwhile waits for the one who is reading."""

    def __init__(self, read: Callable[[], Awaitable[list[Gauge]]]) -> None:
        self._read = read
        self._alone = asyncio.Lock()
        self._until = 0.0
        self._found: list[Gauge] = []

    async def gauges(self) -> list[Gauge]:
        """The gauges; when the database is away only the one that says so."""
        async with self._alone:
            if time.monotonic() >= self._until:
                self._found = await self._look()
                self._until = time.monotonic() + FRESH
            return self._found

    async def _look(self) -> list[Gauge]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(FRESH):
                found = await self._read()
        except DATABASE_AWAY as error:
            log.warning("metrics.database_away", error=type(error).__name__)
            return [Gauge("daohu_database_up", _UP, 0)]
        seconds = Gauge("daohu_metrics_seconds", "How long it took to read the gauges.", time.monotonic() - began)
        return [*found, seconds, Gauge("daohu_database_up", _UP, 1)]


METRICS = Metrics()
_UP = "Whether the database answers."
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
