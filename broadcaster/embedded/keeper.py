"""The keeper: the embedded servers' parent, a process of its own (`python -m broadcaster.embedded.keeper`).

It starts the servers, starts them again if one dies, and stops them in order once nobody holds them any more. It has
one thread and no event loop: the kernel's farewell signal to the servers is bound to the thread that started them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from broadcaster.embedded.account import server_account
from broadcaster.embedded.layout import LOOK, Layout, private_folder
from broadcaster.embedded.locks import FileLock
from broadcaster.embedded.postgres import Postgres
from broadcaster.embedded.valkey import Valkey
from broadcaster.errors import DaohuError, UnavailableError

_WATCHED = {signal.SIGCHLD, signal.SIGTERM, LOOK}
_ROUND = 0.2  # seconds between two looks
_START_DEADLINE = 55.0  # seconds; recovery after a crash under load reads up to max_wal_size of log
_RESTARTS = 5
"""Within one minute; after that the keeper gives up and says why."""


class Server(Protocol):
    """What the keeper needs of a server."""

    def prepare(self) -> None: ...

    def spawn(self) -> None: ...

    def ready(self) -> bool: ...

    def stop(self) -> None: ...


class Keeper:
    def __init__(self, layout: Layout, *, names: list[str], durable: bool, linger: float) -> None:
        self._layout = layout
        self._names = names
        self._durable = durable
        self._linger = linger
        self._servers: dict[str, Server] = {}
        self._restarts: list[float] = []

    def run(self) -> int:
        """Keep the servers until the last holder has left; returns the exit code."""
        with FileLock(self._layout.keeper_lock) as life, FileLock(self._layout.users_lock) as users:
            if not life.try_exclusive():
                return 0  # another keeper was faster
            life.write(str(os.getpid()))
            self._layout.report.unlink(missing_ok=True)
            try:
                self._start_all()
                self._report({"servers": self._names, "pid": os.getpid()})
                self._watch(users)
            except (DaohuError, OSError) as error:
                self._give_up(error)
                return 1
            else:
                self._layout.report.unlink(missing_ok=True)
                return 0
            finally:
                self._stop_all()
                # Whoever waits for the users' lock starts a new keeper, so ours must be gone before that one.
                life.close()

    def _start_all(self) -> None:
        account = server_account(self._layout.postgres)
        private_folder(self._layout.sockets, account.user, account.group)
        made: dict[str, Server] = {
            "postgres": Postgres(self._layout, account, durable=self._durable),
            "valkey": Valkey(self._layout, account),
        }
        self._servers = {name: made[name] for name in self._names}
        for name in self._names:
            self._start(name)
        for name in self._names:
            self._wait_ready(name)

    def _start(self, name: str) -> None:
        self._servers[name].prepare()
        self._servers[name].spawn()

    def _wait_ready(self, name: str) -> None:
        deadline = time.monotonic() + _START_DEADLINE
        while not self._servers[name].ready():
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{name} 在 {_START_DEADLINE:.0f} 秒内没有就绪。", remedy="请查看数据目录下的 log。"
                )
            time.sleep(0.01)
        self._say("ready", server=name)

    def _watch(self, users: FileLock) -> None:
        """Return, holding the users' lock, when nobody has held the servers for `linger` seconds."""
        idle_since: float | None = None
        while True:
            news = signal.sigtimedwait(_WATCHED, _ROUND)
            number = news.si_signo if news is not None else None
            if number == signal.SIGTERM:
                self._say("told to stop")
                return
            self._revive()
            if not users.try_exclusive():
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if number == LOOK or time.monotonic() - idle_since >= self._linger:
                self._say("nobody left")
                return
            users.release()

    def _revive(self) -> None:
        for name, server in self._servers.items():
            try:
                server.ready()
            except UnavailableError as error:
                self._say("server died", server=name, what=error.what)
                self._restarts = [at for at in self._restarts if at > time.monotonic() - 60]
                if len(self._restarts) >= _RESTARTS:
                    raise
                self._restarts.append(time.monotonic())
                self._start(name)
                self._wait_ready(name)

    def _stop_all(self) -> None:
        for name, server in reversed(self._servers.items()):
            server.stop()
            self._say("stopped", server=name)

    def _give_up(self, error: DaohuError | OSError) -> None:
        what = error.what if isinstance(error, DaohuError) else f"内置数据库启动失败：{error}。"
        remedy = error.remedy if isinstance(error, DaohuError) else "请检查磁盘空间，以及数据目录的属主和权限。"
        self._say("failed", what=what)
        self._report({"error": what, "remedy": remedy})

    def _report(self, content: dict[str, object]) -> None:
        fresh = self._layout.report.with_suffix(".new")
        fresh.write_text(json.dumps(content, ensure_ascii=False))
        fresh.replace(self._layout.report)

    def _say(self, event: str, **details: str) -> None:
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **details}
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stderr.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="broadcaster.embedded.keeper")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--linger", type=float, required=True)
    parser.add_argument("--hasty", action="store_true")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    keeper = Keeper(Layout(given.data), names=given.servers.split(","), durable=not given.hasty, linger=given.linger)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
