"""What escalation needs of a worker: replies are settled, steps are taken, what is over is called off."""

from __future__ import annotations

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.escalation import settlement, tick
from broadcaster.share import Share


def share(database: Database, clock: Clock, load_plan: LoadPlan) -> Share:
    """Settles, ticks and cancels, in this order: a reply that is there stops the step that would follow."""

    async def settle() -> int:
        return await settlement.settle_stored(database, clock.now())

    async def take_steps() -> int:
        return await tick.tick(database, load_plan, clock.now())

    async def cancel() -> int:
        return await tick.cancel_closed(database, clock.now())

    return Share(chores=(settle, take_steps, cancel))
