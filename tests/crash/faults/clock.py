"""Clocks that jump on the machines of workers."""

from __future__ import annotations

import asyncio
from random import Random

from tests.crash.fault import Fault
from tests.harness import stand_in
from tests.harness.outpost import Outpost

HOURS = (-24, -1, 1, 8, 24 * 365)
"""How far a clock jumps: further than any alert lives, both ways."""


class JumpingClock(Fault):
    """All the work is done on a machine whose wall clock jumps by hours and comes back."""

    name = "clock jumps"

    async def prepare(self, post: Outpost) -> None:
        self._clock = post.folder / "clock"
        self._clock.write_text("0")
        await post.hire(module=stand_in.__name__, environment={stand_in.CLOCK: str(self._clock)})
        await post.dismiss(post.workers[0])

    async def strike(self, post: Outpost, chance: Random) -> int:
        self._clock.write_text(str(chance.choice(HOURS) * 3600))
        await asyncio.sleep(chance.uniform(0.5, 2.0))
        self._clock.write_text("0")
        return 0

    async def relent(self, post: Outpost) -> None:
        await post.hire()
        await post.dismiss(post.workers[0])
