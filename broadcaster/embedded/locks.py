"""File locks of the kernel (flock): freed however a process ends, so never stale."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from broadcaster.errors import UnavailableError


class FileLock:
    """One lock file, opened; not inherited by children."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Also turns our shared lock into an exclusive one if nobody else holds; on failure ours may be gone."""
        return self._try(fcntl.LOCK_EX)

    def shared(self, seconds: float) -> None:
        self._wait(fcntl.LOCK_SH, seconds)

    def exclusive(self, seconds: float) -> None:
        self._wait(fcntl.LOCK_EX, seconds)

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock and the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def write(self, text: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, mode: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._try(mode):
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"等待锁文件 {self._path} 超过 {seconds:.0f} 秒。",
                    remedy="另一个 daohu 进程正在启动或停止内置数据库；请稍后再试，并查看数据目录下的 log/keeper.log。",
                )
            time.sleep(0.02)
