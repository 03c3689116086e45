"""The grounds on which faults are tried: one installation for many runs, a fresh one after a run that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from broadcaster.rehearsal.script import Script
from tests.crash.fault import Fault
from tests.crash.ordeal import Ordeal
from tests.crash.schedule import Schedule
from tests.crash.verdict import Verdict
from tests.harness.outpost import Outpost, Plan, outpost

T = TypeVar("T")


@dataclass(slots=True)
class Grounds:
    """`folder` makes a new folder for an installation. Everything of one runs in a context of its own, because the
    records look up their database there."""

    folder: Callable[[], Path]
    plan: Plan
    script: Script
    _post: Outpost | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _context: Context = field(default_factory=copy_context)

    async def run(self, fault: Fault, schedule: Schedule) -> Verdict:
        """Endure a schedule of `fault`."""
        try:
            post = self._post or await self._open()
            verdict = await self._inside(Ordeal(post, fault, schedule).endure())
        except BaseException:
            await self.leave()
            raise
        if verdict.objections():
            await self.leave()
        return verdict

    async def leave(self) -> None:
        """Clear the installation away."""
        self._post = None
        await self._inside(self._stack.aclose())

    async def _open(self) -> Outpost:
        self._stack, self._context = AsyncExitStack(), copy_context()
        installation = outpost(self.folder(), self.script, self.plan, seed=self.script.seed)
        self._post = await self._inside(self._stack.enter_async_context(installation))
        await self._inside(self._post.hire())
        return self._post

    async def _inside(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.create_task(work, context=self._context)
