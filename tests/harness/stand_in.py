"""`python -m tests.harness.stand_in`: `daohu worker` with a name or a clock of the test's choice."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from broadcaster.cli import starting
from broadcaster.cli.overdue import OF_ITS_OWN
from broadcaster.cli.running import run_until_stopped
from broadcaster.clock import SystemClock
from broadcaster.house import open_house

NAME = "DAOHU_STAND_IN_NAME"
CLOCK = "DAOHU_STAND_IN_CLOCK"
"""Names of the environment variables: the worker's name; a file that holds the seconds by which the clock is wrong."""


class WrongClock(SystemClock):
    """The machine's clock, wrong by what a file says at the moment."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._file.read_text() or 0))


async def work() -> int:
    settings = starting.load(None)
    file = os.environ.get(CLOCK)
    clock = WrongClock(Path(file)) if file else SystemClock()
    async with open_house(settings, clock=clock, application="daohu-worker") as house:
        return await run_until_stopped([house.work(name=os.environ.get(NAME, ""))], within=OF_ITS_OWN)


if __name__ == "__main__":
    sys.exit(asyncio.run(work()))
