"""What a daohu process holds of the embedded servers: attach (starting the keeper if there is none), look, leave."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from broadcaster.embedded.layout import LOOK, Layout
from broadcaster.embedded.locks import FileLock
from broadcaster.errors import UnavailableError

POSTGRES = "postgres"
VALKEY = "valkey"

_keepers: list[subprocess.Popen[bytes]] = []
"""The keepers that this process started and that may still live, for other holders; kept so that they get reaped."""

_DEADLINE = 60.0  # seconds for a start (with crash recovery) or a stop (with the last checkpoint)
_LAST_MOMENT = 5.0  # seconds for a keeper that has given its lock back to be gone


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the servers answer: URLs for `Database.open` and the doorbell, on unix sockets."""

    database_url: str
    redis_url: str


class EmbeddedServers:
    """A hold on the embedded servers under `data`; every process takes its own.

    `servers` names which ones are wanted. `linger` is how many seconds the servers outlive their last holder when that
    one was killed. `durable=False` is for tests: faster, and a power cut may lose data.
    """

    def __init__(
        self, data: Path, *, servers: Sequence[str] = (POSTGRES, VALKEY), linger: float = 1.0, durable: bool = True
    ) -> None:
        self._layout = Layout(data.expanduser().resolve())
        self._servers = tuple(servers)
        self._linger = linger
        self._durable = durable
        self._hold: FileLock | None = None
        self._turn = threading.Lock()  # `ensure` may be looking in another thread while we are told to stop
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self._layout.database_url, self._layout.redis_url)

    def start(self) -> Endpoints:
        """Return when the servers answer: attach to the running ones, or start them.

        Takes some 20 ms to attach, about half a second to start, about two more the very first time. Blocks; call it
        before the event loop or in a thread. Raises `UnavailableError`.
        """
        self._layout.make_folders()
        with self._turn:
            if self._hold is None:
                hold = FileLock(self._layout.users_lock)
                try:
                    hold.shared(_DEADLINE)  # waits while a keeper is stopping the servers
                    self._ensure_keeper()
                except BaseException:
                    hold.close()
                    raise
                self._hold = hold
        return self.endpoints

    def ensure(self) -> bool:
        """Start the keeper again if it has died; returns whether that was needed. Blocks like `start`."""
        with self._turn:
            if self._hold is None:
                return False
            with FileLock(self._layout.keeper_lock) as life:
                if not life.try_exclusive():
                    return False
            self._ensure_keeper()
            return True

    def stop(self) -> None:
        """Leave. The last one out also waits until the servers have stopped in order."""
        with self._turn:
            if self._hold is None:
                return
            last = self._hold.try_exclusive()
            self._hold.close()
            self._hold = None
            if last:
                self._wait_for_the_end()
            _reap_keepers()

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ensure_keeper(self) -> None:
        with FileLock(self._layout.start_lock) as starting:
            starting.exclusive(_DEADLINE)
            with FileLock(self._layout.keeper_lock) as life:
                alone = life.try_exclusive()
            if alone:
                self._spawn_keeper()
            try:
                self._await_report()
            except UnavailableError:
                if alone and self._keeper is not None:  # it is on its way out; the next start shall not meet it
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._keeper.wait(_DEADLINE)
                raise

    def _spawn_keeper(self) -> None:
        _reap_keepers()
        self._layout.report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "broadcaster.embedded.keeper", "--data", str(self._layout.data)]
        command += ["--servers", ",".join(self._servers), "--linger", str(self._linger)]
        if not self._durable:
            command.append("--hasty")
        with (self._layout.logs / "keeper.log").open("ab") as log:
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for us, not for the servers
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        _keepers.append(self._keeper)

    def _await_report(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while True:
            with contextlib.suppress(FileNotFoundError):
                report = json.loads(self._layout.report.read_text())
                break
            if self._keeper is not None and self._keeper.poll() not in {None, 0}:
                raise UnavailableError(
                    "内置数据库的看护进程启动失败。", remedy=f"请查看 {self._layout.logs / 'keeper.log'} 的末尾。"
                )
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "内置数据库在一分钟内没有就绪。", remedy=f"请查看 {self._layout.logs} 下的日志。"
                )
            time.sleep(0.01)
        if "error" in report:
            raise UnavailableError(str(report["error"]), remedy=str(report["remedy"]))
        if missing := set(self._servers) - set(report["servers"]):
            raise UnavailableError(
                f"数据目录 {self._layout.data} 正被设置不同的 daohu 使用，没有启动 {'、'.join(sorted(missing))}。",
                remedy="请让使用同一数据目录的进程使用同一份 daohu.toml。",
            )

    def _wait_for_the_end(self) -> None:
        """Tell the keeper that nobody is left, and wait until it has gone or somebody else took hold."""
        deadline = time.monotonic() + _DEADLINE
        seen_others = 0
        with FileLock(self._layout.keeper_lock) as life, FileLock(self._layout.users_lock) as users:
            while not life.try_exclusive() and time.monotonic() < deadline:
                if users.try_exclusive():
                    users.release()
                    self._tell_keeper()
                elif users.try_shared():  # so it is not the keeper, stopping, that holds it exclusively
                    users.release()
                    seen_others += 1
                if seen_others >= 3:
                    return
                _reap_keepers()
                time.sleep(0.02)
        if self._keeper is not None:  # its lock is free a moment before the kernel can tell us how it ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.wait(_LAST_MOMENT)

    def _tell_keeper(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(self._layout.keeper_lock.read_text()), LOOK)


def _reap_keepers() -> None:
    _keepers[:] = [keeper for keeper in _keepers if keeper.poll() is None]


__all__ = ["POSTGRES", "VALKEY", "EmbeddedServers", "Endpoints"]
