"""Ring and hear: publish and subscribe, never an error, never a wait for a Redis that is away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from broadcaster.tasks import ended

log = structlog.get_logger()

REDIS_AWAY = (RedisError, OSError, TimeoutError)
"""What redis-py raises when the server is down, restarting, refusing or cut off."""

_PREFIX = "daohu:bell:"
_PATIENCE = 1.0
"""Seconds that ringing may take at most, and that it then leaves the server alone."""

_RECONNECT = (0.2, 5.0)  # seconds before the first and before every later attempt, doubling between
_HEARTBEAT = 15.0


class Doorbell:
    """One process's access to the bell. Making one connects to nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis = _client(url, socket_timeout=_PATIENCE)
        self._quiet_until = 0.0

    async def ring(self, topic: str) -> bool:
        """Say "look" to whoever listens to `topic`; returns whether Redis took it. Never raises, never takes long."""
        if time.monotonic() < self._quiet_until:
            return False
        try:
            await self._redis.publish(_PREFIX + topic, b"1")
        except REDIS_AWAY as error:
            self._quiet_until = time.monotonic() + _PATIENCE
            log.warning("doorbell.away", error=type(error).__name__)
            return False
        return True

    @asynccontextmanager
    async def listen(self, *topics: str) -> AsyncIterator[Ear]:
        """An ear for `topics`, for the length of the block; it connects, and connects again, in the background."""
        ear = Ear()
        attending = asyncio.create_task(self._attend(ear, topics), name="doorbell")
        try:
            yield ear
        finally:
            await ended(attending)

    async def answers(self) -> bool:
        """Whether Redis answers now; for `doctor` and the health page."""
        try:
            return bool(await self._redis.ping())
        except REDIS_AWAY:
            return False

    async def close(self) -> None:
        with contextlib.suppress(*REDIS_AWAY):
            await self._redis.aclose()

    async def _attend(self, ear: Ear, topics: Iterable[str]) -> None:
        channels = [_PREFIX + topic for topic in topics]
        pause, longest = _RECONNECT
        while True:
            redis = _client(self._url, health_check_interval=_HEARTBEAT)
            try:
                async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(*channels)
                    ear.connected = True
                    pause = _RECONNECT[0]
                    ear.wake()  # something may have been said while nobody listened
                    while True:
                        if await subscription.get_message(timeout=_HEARTBEAT) is not None:
                            ear.wake()
            except REDIS_AWAY as error:
                if ear.connected:
                    log.warning("doorbell.lost", error=type(error).__name__)
            finally:
                ear.connected = False
                with contextlib.suppress(*REDIS_AWAY):
                    await redis.aclose()
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)


class Ear:
    """Hears the bell. `connected` tells whether Redis is listened to at this moment."""

    def __init__(self) -> None:
        self.connected = False
        self._rung = asyncio.Event()

    def wake(self) -> None:
        """What the bell does; a process may also wake its own ears."""
        self._rung.set()

    async def heard(self, seconds: float) -> bool:
        """Return when the bell has rung since the last call, or after `seconds`; whether it rang."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


def _client(url: str, *, socket_timeout: float | None = None, health_check_interval: float = 0) -> Redis:
    client: Redis = Redis.from_url(
        url,
        socket_connect_timeout=_PATIENCE,
        socket_timeout=socket_timeout,
        health_check_interval=health_check_interval,
    )
    return client
