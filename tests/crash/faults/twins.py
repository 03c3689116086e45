"""Two workers that take each other for themselves."""

from __future__ import annotations

import asyncio
from random import Random

from tests.crash.fault import Fault
from tests.harness import stand_in
from tests.harness.outpost import Outpost


class Twins(Fault):
    """Two workers of the same name, as a cloned machine has them, do all the work; now and then one is killed or
    stopped, and a third of that name begins."""

    name = "two workers with the same name"

    async def prepare(self, post: Outpost) -> None:
        self._ordinary = post.workers[0]
        for _ in range(2):
            await self._hire(post)
        await post.dismiss(self._ordinary)

    async def strike(self, post: Outpost, chance: Random) -> int:
        killed = chance.random() < 0.5
        await post.dismiss(chance.choice(post.workers), kill=killed)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        await self._hire(post)
        return int(killed)

    async def relent(self, post: Outpost) -> None:
        twins = list(post.workers)
        await post.hire()
        for twin in twins:
            await post.dismiss(twin)

    @staticmethod
    async def _hire(post: Outpost) -> None:
        await post.hire(module=stand_in.__name__, environment={stand_in.NAME: "twin"})
