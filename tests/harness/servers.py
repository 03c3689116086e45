"""PostgreSQL and Valkey as an office with servers of its own has them: named by URL, started and stopped by others."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import asyncpg
import psutil

from broadcaster.database import with_database
from broadcaster.embedded.account import server_account
from broadcaster.embedded.layout import DATABASE, Layout, private_folder
from broadcaster.embedded.postgres import Postgres
from broadcaster.embedded.valkey import Valkey
from broadcaster.errors import UnavailableError
from tests.harness.waiting import wait_until

ENOUGH_FOR_MESSAGES = 2**21
"""Bytes that the server's messages never reach, and its write-ahead log's current file does."""


class GivenServers:
    """Both servers below one folder. Their parent is the test: call `start` and the restarts from its main thread."""

    def __init__(self, folder: Path) -> None:
        self._layout = Layout(folder.resolve())
        self._layout.make_folders()
        self._account = server_account(self._layout.postgres)
        private_folder(self._layout.sockets, self._account.user, self._account.group)
        self._postgres = Postgres(self._layout, self._account)
        self._valkey = Valkey(self._layout, self._account)

    @property
    def database_url(self) -> str:
        return with_database(self._layout.database_url, DATABASE)

    @property
    def redis_url(self) -> str:
        return self._layout.redis_url

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self._layout.postgres

    async def start(self) -> None:
        """Start both and wait until they answer."""
        await self.start_postgres()
        await self.start_redis()

    def stop(self) -> None:
        """Stop both in order, whatever state they are in."""
        self._valkey.stop()
        self._postgres.stop()

    async def start_postgres(self) -> None:
        """Start it, after a crash with its recovery."""
        self._postgres.prepare()
        self._postgres.spawn()
        await wait_until(self._postgres.ready, within=60, what="PostgreSQL to be ready")

    async def end_postgres(self, how: signal.Signals) -> None:
        """SIGINT is a fast shutdown, SIGQUIT an immediate one (as `pg_ctl stop -m` sends them), SIGKILL a crash."""
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):  # it may have gone by itself
            self.postmaster().send_signal(how)
        await wait_until(lambda: _ended(self._postgres), within=60, what="PostgreSQL to end")

    async def start_redis(self) -> None:
        self._valkey.prepare()
        self._valkey.spawn()
        await wait_until(self._valkey.ready, within=60, what="Valkey to be ready")

    async def end_redis(self, how: signal.Signals) -> None:
        """SIGTERM stops it, SIGKILL kills it."""
        [server] = [
            child for child in psutil.Process().children() if str(self._layout.valkey_socket) in str(child.cmdline())
        ]
        server.send_signal(how)
        await wait_until(lambda: _ended(self._valkey), within=60, what="Valkey to end")

    def postmaster(self) -> psutil.Process:
        """The server's first process."""
        return psutil.Process(int((self.data / "postmaster.pid").read_text().splitlines()[0]))

    def backends(self) -> list[psutil.Process]:
        """The server's processes that serve a connection to our database."""
        found = []
        for child in self.postmaster().children():
            with contextlib.suppress(psutil.Error):
                if f" {DATABASE} " in f"{' '.join(child.cmdline())} ":
                    found.append(child)
        return found

    def limit_files(self, size: int) -> None:
        """Have the kernel refuse every write beyond `size` bytes of a file, to the server and all its processes."""
        server = self.postmaster()
        for process in [server, *server.children()]:
            # As its own user: root in a container often may not touch other users' limits, everybody may their own.
            limited = subprocess.run(
                ["prlimit", "--pid", str(process.pid), f"--fsize={size}:"],
                user=self._account.user if self._account.borrowed else None,
                group=self._account.group if self._account.borrowed else None,
                capture_output=True,
                text=True,
                check=False,
            )
            if limited.returncode and process.is_running():
                raise UnavailableError(f"The server's files cannot be limited: {limited.stderr.strip()}")

    async def put_tables(self, folder: Path) -> None:
        """Make the database, empty, with all its tables and indexes below `folder`."""
        os.mkdir(folder)  # noqa: PTH102 - at once
        os.chown(folder, self._account.user, self._account.group)
        await self.command(
            f"CREATE TABLESPACE apart LOCATION '{folder}'",
            f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0 TABLESPACE apart",
        )

    async def close_log(self) -> None:
        """Have every write to the write-ahead log fail from now on; the server's own messages are still written."""
        connection = await asyncpg.connect(dsn=with_database(self.database_url, "postgres"), timeout=10)
        try:
            offset = "SELECT file_offset FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
            while await connection.fetchval(offset) < 2 * ENOUGH_FOR_MESSAGES:
                filler = "SELECT pg_logical_emit_message(false, 'filler', repeat('x', $1))"
                await connection.execute(filler, ENOUGH_FOR_MESSAGES)
        finally:
            await connection.close()
        self.limit_files(ENOUGH_FOR_MESSAGES)

    def complained(self, words: str) -> int:
        """How often PostgreSQL's log says `words`."""
        return (self._layout.logs / "postgres.log").read_text(errors="replace").count(words)

    async def command(self, *statements: str) -> None:
        """Have the administrator run statements, each on its own."""
        connection = await asyncpg.connect(dsn=with_database(self.database_url, "postgres"), timeout=10)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def _ended(server: Postgres | Valkey) -> bool:
    """Whether it has ended, and is reaped."""
    try:
        server.ready()
    except UnavailableError:
        return True
    return False
