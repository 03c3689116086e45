"""Workers that are killed."""

from __future__ import annotations

from random import Random

from tests.crash.fault import Fault
from tests.harness.outpost import Outpost


class KilledWorker(Fault):
    """One of two workers is killed; another takes its place."""

    name = "worker killed"

    async def prepare(self, post: Outpost) -> None:
        await post.hire()

    async def strike(self, post: Outpost, chance: Random) -> int:
        at_work = [worker for worker in post.workers if await post.holds(worker)]
        await post.dismiss(chance.choice(at_work or post.workers), kill=True)
        await post.hire()
        return 1

    async def relent(self, post: Outpost) -> None:
        for worker in post.workers[1:]:
            await post.dismiss(worker)


class KilledTogether(Fault):
    """Every worker is killed at once, as when the machine loses power; one comes back."""

    name = "all workers killed at once"

    async def prepare(self, post: Outpost) -> None:
        await post.hire()

    async def strike(self, post: Outpost, chance: Random) -> int:
        killed = list(post.workers)
        for worker in killed:
            await post.dismiss(worker, kill=True)
        await post.hire()
        return len(killed)
