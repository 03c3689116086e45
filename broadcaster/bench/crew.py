"""The bench's workers: `daohu worker` as processes of their own, as many as are asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from broadcaster.errors import UnavailableError

START = 60.0
"""Seconds for a worker to say that it works."""

STOP = 30.0
"""Seconds for a worker to wind up."""


@asynccontextmanager
async def crew(settings: Path, count: int, *, profile: bool) -> AsyncIterator[list[int]]:
    """`count` workers at work on the settings in `settings`; gives their process ids. Beside the settings lies what
    each said (`worker-1.log`) and, with `profile`, where its time went (`worker-1.prof`), once they have stopped.
    """
    folder = settings.parent
    workers = [_start(settings, number, profile=profile) for number in range(1, count + 1)]
    try:
        for number, worker in enumerate(workers, start=1):
            await asyncio.to_thread(_wait_until_ready, folder / f"worker-{number}.log", worker)
        yield [worker.pid for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            await asyncio.to_thread(_end, worker)


def _start(settings: Path, number: int, *, profile: bool) -> subprocess.Popen[bytes]:
    watched = ["-m", "cProfile", "-o", str(settings.parent / f"worker-{number}.prof")] if profile else []
    with (settings.parent / f"worker-{number}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *watched, "-m", "broadcaster.cli", "worker", "--config", str(settings)],
            cwd=settings.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(log: Path, worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START
    while b"worker.started" not in log.read_bytes():
        if worker.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-2000:]
            raise UnavailableError(f"发送进程没有启动：{said}", remedy="请按上面的信息处理后重试。")
        time.sleep(0.05)


def _end(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(STOP)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
