"""The programme: trials on several installations side by side, because most of a trial is waiting."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.crash.fault import Fault
from tests.crash.grounds import Grounds
from tests.crash.schedule import Schedule
from tests.crash.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault, when it strikes, and the lane (installation) on which it is tried."""

    word: str
    make: Callable[[], Fault]
    schedule: Schedule
    lane: str

    def __str__(self) -> str:
        return f"{self.word}, {self.schedule}"


@dataclass(slots=True)
class Programme:
    """Runs the trials of each lane one after the other, the lanes at the same time."""

    grounds: Callable[[str], Grounds]
    _verdicts: dict[str, asyncio.Future[Verdict]] = field(default_factory=dict)
    _lanes: list[asyncio.Task[None]] = field(default_factory=list)
    _leaving: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self, trials: Iterable[Trial]) -> None:
        lanes: defaultdict[str, list[Trial]] = defaultdict(list)
        for trial in trials:
            lanes[trial.lane].append(trial)
            self._verdicts[trial.word] = asyncio.get_running_loop().create_future()
        self._lanes = [asyncio.create_task(self._run(lane, of_lane)) for lane, of_lane in lanes.items()]

    async def verdict(self, word: str) -> Verdict:
        """What became of a trial; raises what it raised."""
        return await self._verdicts[word]

    async def end(self) -> None:
        """Break off what nobody waits for any more, and clear every installation away to the end."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        await asyncio.gather(*self._leaving)
        for verdict in self._verdicts.values():
            if verdict.done() and not verdict.cancelled():
                verdict.exception()  # looked at: a test that was not run has not asked for it

    async def _run(self, lane: str, trials: Sequence[Trial]) -> None:
        grounds = self.grounds(lane)
        try:
            for trial in trials:
                verdict = self._verdicts[trial.word]
                try:
                    verdict.set_result(await grounds.run(trial.make(), trial.schedule))
                except Exception as error:  # the next trial has fresh grounds
                    error.add_note(str(trial))
                    verdict.set_exception(error)
        finally:
            leaving = asyncio.create_task(grounds.leave())
            self._leaving.append(leaving)
            await asyncio.shield(leaving)  # whoever breaks the lane off waits for it
