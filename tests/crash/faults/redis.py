"""Redis emptied, stopped and killed."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from redis.asyncio import Redis

from tests.crash.fault import Fault
from tests.harness.outpost import Outpost


class EmptiedRedis(Fault):
    """Everything in Redis is gone."""

    name = "Redis emptied"

    async def strike(self, post: Outpost, chance: Random) -> int:
        async with Redis.from_url(post.given.redis_url) as redis:
            await redis.flushall()
        return 0


class StoppedRedis(Fault):
    """Redis is stopped for a while, then starts empty."""

    name = "Redis stopped and started"
    how = signal.SIGTERM
    kills = 0

    async def strike(self, post: Outpost, chance: Random) -> int:
        await post.given.end_redis(self.how)
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        await post.given.start_redis()
        return self.kills


class KilledRedis(StoppedRedis):
    """Redis is killed, and starts empty a while later."""

    name = "Redis killed"
    how = signal.SIGKILL
    kills = 1
