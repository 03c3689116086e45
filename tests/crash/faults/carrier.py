"""The carrier itself killed."""

from __future__ import annotations

import asyncio
from random import Random

from tests.crash.fault import Fault
from tests.harness.outpost import Outpost


class KilledCarrier(Fault):
    """The process that plays the gateways is killed with all its connections, and comes back a little later."""

    name = "carrier killed"

    async def strike(self, post: Outpost, chance: Random) -> int:
        post.rehearsal.kill()
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        await post.rehearsal.restart()
        return 1
