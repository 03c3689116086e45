"""Live progress: one reader per alert, however many watch; a slow watcher misses steps, never the newest state."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import web

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY
from broadcaster.errors import LimitedError
from broadcaster.tasks import ended
from broadcaster.web.metrics import METRICS

_LOG = structlog.get_logger(__name__)

Read = Callable[[int], Awaitable[object]]
"""Reads what is shown of an alert, as something msgspec can encode."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at the database and two signs of life on a quiet line, and until a line is closed.

    Closing makes the browser come back and prove again who it is.
    """

    look: float = 0.5
    heartbeat: float = 15.0
    longest: float = 900.0
    watchers: int = 500


UNHURRIED = Pace()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of an alert; `id` is a digest of `data` (JSON), so equal states are one event."""

    id: str
    data: bytes


def snapshot(state: object) -> Snapshot:
    """The snapshot of what was read."""
    data = msgspec.json.encode(state)
    return Snapshot(hashlib.sha256(data).hexdigest()[:16], data)


@dataclass(slots=True)
class _Reader:
    """The one that looks at one alert."""

    watchers: int = 0
    snapshot: Snapshot | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def show(self, newest: Snapshot) -> None:
        if self.snapshot is None or self.snapshot.id != newest.id:
            self.snapshot = newest
            self.announce()

    def announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Live:
    """Every alert that somebody watches in this process."""

    def __init__(self, read: Read, clock: Clock, pace: Pace = UNHURRIED) -> None:
        self._read = read
        self._clock = clock
        self._pace = pace
        self._readers: dict[int, _Reader] = {}
        self._closing = False

    @property
    def readers(self) -> int:
        """How many alerts are being read."""
        return len(self._readers)

    def admit(self) -> None:
        """`LimitedError` when too many watch already; ask before the line is opened."""
        if METRICS.watchers >= self._pace.watchers:
            raise LimitedError("实时页面打开得太多。", after=30, remedy="请关闭一些页面，或稍后再试。")

    async def watch(self, alert_id: int, seen: str = "") -> AsyncGenerator[Snapshot | None, None]:
        """Yield the state now (unless it is the one `seen`), then each newer one; None is a sign of life."""
        reader = self._join(alert_id)
        until = asyncio.get_running_loop().time() + self._pace.longest
        try:
            while not self._closing and asyncio.get_running_loop().time() < until:
                changed, newest = reader.changed, reader.snapshot
                if newest is not None and newest.id != seen:
                    seen = newest.id
                    yield newest
                    continue
                try:
                    async with asyncio.timeout(self._pace.heartbeat):
                        await changed.wait()
                except TimeoutError:
                    yield None
        finally:
            self._leave(alert_id, reader)

    async def close(self) -> None:
        """End every watch; used when the process stops."""
        self._closing = True
        for reader in list(self._readers.values()):
            reader.announce()
            if reader.task is not None:
                await ended(reader.task)

    def _join(self, alert_id: int) -> _Reader:
        reader = self._readers.get(alert_id)
        if reader is None:
            reader = self._readers[alert_id] = _Reader()
            reader.task = asyncio.create_task(self._look(alert_id, reader), name=f"live-{alert_id}")
        reader.watchers += 1
        METRICS.watchers += 1
        return reader

    def _leave(self, alert_id: int, reader: _Reader) -> None:
        reader.watchers -= 1
        METRICS.watchers -= 1
        if reader.watchers == 0:
            self._readers.pop(alert_id, None)
            if reader.task is not None:
                reader.task.cancel()

    async def _look(self, alert_id: int, reader: _Reader) -> None:
        while True:
            try:
                reader.show(snapshot(await self._read(alert_id)))
            except DATABASE_AWAY as error:
                _LOG.warning("live.database_away", alert=alert_id, reason=type(error).__name__)
            except Exception:  # watchers would go on seeing signs of life beside a state that never changes
                _LOG.exception("live.fault", alert=alert_id)
            await self._clock.sleep(self._pace.look)


LIVE = web.AppKey("live", Live)


def event(state: Snapshot | None) -> bytes:
    """The snapshot in the form of a server-sent event; a comment when there is nothing to tell."""
    if state is None:
        return b": alive\n\n"
    return b"id: " + state.id.encode() + b"\nevent: progress\ndata: " + state.data + b"\n\n"
