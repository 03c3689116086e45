"""The embedded servers survive what happens to processes and machines: kills, leftovers, reboots, long paths."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
import redis

from broadcaster.database import with_database
from broadcaster.embedded import EmbeddedServers, Endpoints, watch
from broadcaster.embedded.account import Account, become
from broadcaster.embedded.layout import Layout
from broadcaster.errors import UnavailableError
from tests.harness.processes import ROOT
from tests.harness.waiting import wait_for, wait_until

HOLDER = """
import sys, time
from pathlib import Path
from broadcaster.embedded import EmbeddedServers
EmbeddedServers(Path(sys.argv[1])).start()
print("holding", flush=True)
time.sleep(600)
"""


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="daohu-"))
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


def hold(data: Path, **options: Any) -> subprocess.Popen[str]:
    """Another daohu process that holds the servers."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    return holder


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def query(endpoints: Endpoints, *statements: str) -> object:
    """Run the statements one after the other; the answer of the last."""

    async def ask() -> object:
        connection = await asyncpg.connect(dsn=with_database(endpoints.database_url, "postgres"))
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())


def keeper(data: Path) -> psutil.Process:
    return psutil.Process(int(Layout(data).keeper_lock.read_text()))


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def servers_left(data: Path) -> list[psutil.Process]:
    """Whatever still runs for this data folder."""
    left = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if str(data) in words and process.status() != psutil.STATUS_ZOMBIE and "-c" not in process.cmdline()[1:2]:
                left.append(process)
        except psutil.Error:
            continue
    return left


def test_both_servers_answer_and_leave_nothing_running(data: Path) -> None:
    with EmbeddedServers(data) as endpoints:
        assert query(endpoints, "SELECT 1") == 1
        with redis.Redis.from_url(endpoints.redis_url) as client:
            assert client.ping()
    wait_for(lambda: servers_left(data) == [], what="the keeper to be gone")


def test_who_leaves_last_leaves_no_dead_child_behind(data: Path) -> None:
    for _ in range(3):
        with EmbeddedServers(data, servers=["valkey"]):
            started = keeper(data)
        assert not psutil.pid_exists(started.pid)


def test_crash_safety_is_on(data: Path) -> None:
    with EmbeddedServers(data) as endpoints:
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert query(endpoints, f"SHOW {setting}") == "on"
        assert query(endpoints, "SHOW listen_addresses") == ""


def test_a_second_process_attaches_and_the_last_one_out_stops_the_servers(data: Path) -> None:
    first = EmbeddedServers(data)
    endpoints = first.start()
    other = hold(data)
    started_by = keeper(data)
    first.stop()
    assert keeper(data) == started_by
    assert query(endpoints, "SELECT 1") == 1
    kill(other)
    wait_for(lambda: servers_left(data) == [], what="the servers to stop")


def test_many_starting_at_once_share_one_keeper(data: Path) -> None:
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(data)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(4)
    ]
    for holder in holders:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
    keepers = [process for process in servers_left(data) if "broadcaster.embedded.keeper" in process.cmdline()]
    assert len(keepers) == 1
    for holder in holders:
        kill(holder)
    wait_for(lambda: servers_left(data) == [], what="the servers to stop")


def test_a_killed_process_leaves_data_whole_and_the_next_start_is_quick(data: Path) -> None:
    for round_number in range(1, 4):
        holder = hold(data)
        endpoints = EmbeddedServers(data).endpoints
        query(
            endpoints,
            "CREATE TABLE IF NOT EXISTS kept (n int)",
            f"INSERT INTO kept VALUES ({round_number}) RETURNING n",
        )
        kill(holder)
        began = time.monotonic()
        with EmbeddedServers(data) as again:
            assert time.monotonic() - began < 30
            assert query(again, "SELECT count(*) FROM kept") == round_number


def test_killing_everything_at_once_loses_nothing_that_was_committed(data: Path) -> None:
    holder = hold(data)
    endpoints = EmbeddedServers(data).endpoints
    query(
        endpoints,
        "CREATE TABLE kept AS SELECT generate_series(1, 50000) AS n",
        "CHECKPOINT",
        "INSERT INTO kept SELECT generate_series(1, 50000) RETURNING n",
    )
    victims = [*servers_left(data), *postmaster(data).children(recursive=True)]
    for process in victims:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(victims, timeout=10)
    kill(holder)
    assert (data / "postgres" / "postmaster.pid").exists()
    began = time.monotonic()
    with EmbeddedServers(data) as again:
        assert time.monotonic() - began < 30
        assert query(again, "SELECT count(*) FROM kept") == 100000


def test_a_killed_keeper_takes_the_servers_down_in_order_and_is_replaced(data: Path) -> None:
    servers = EmbeddedServers(data)
    endpoints = servers.start()
    query(endpoints, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1) RETURNING n")
    assert not servers.ensure()
    dead = keeper(data)
    dead.kill()
    began = time.monotonic()
    wait_for(servers.ensure, what="the dead keeper to be noticed")
    assert time.monotonic() - began < 30
    assert keeper(data) != dead
    assert query(endpoints, "SELECT count(*) FROM kept") == 1
    servers.stop()
    wait_for(lambda: servers_left(data) == [], what="the keeper to be gone")
    assert "database system was shut down" in (data / "log" / "postgres.log").read_text()


async def test_a_backend_that_outlives_the_killed_server_is_gone_before_the_next_one_starts(data: Path) -> None:
    servers = EmbeddedServers(data, servers=["postgres"])
    url = with_database((await asyncio.to_thread(servers.start)).database_url, "postgres")
    busy = await asyncpg.connect(dsn=url)
    try:
        orphan = psutil.Process(busy.get_server_pid())
        endless = asyncio.create_task(busy.execute("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$"))
        await wait_until(lambda: orphan.cpu_times().user > 0.2, what="the backend to be busy")
        first = postmaster(data)
        first.kill()

        async def answers() -> bool:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                again = await asyncpg.connect(dsn=url)
                await again.close()
                return True
            return False

        await wait_until(answers, what="the next server")
        assert postmaster(data) != first
        assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await asyncio.wait_for(endless, 60)
    finally:
        busy.terminate()
        await asyncio.to_thread(servers.stop)


@pytest.mark.parametrize("name", ["postgres", "valkey-server"])
def test_a_killed_server_is_started_again(data: Path, name: str) -> None:
    with EmbeddedServers(data) as endpoints:
        victim = next(process for process in keeper(data).children() if process.name() == name)
        victim.kill()

        def answers() -> bool:
            replaced = any(process.name() == name and process != victim for process in keeper(data).children())
            if not replaced:
                return False
            try:
                with redis.Redis.from_url(endpoints.redis_url) as client:
                    return bool(client.ping()) and query(endpoints, "SELECT 1") == 1
            except (OSError, redis.RedisError, asyncpg.PostgresError):
                return False

        wait_for(answers, what=f"{name} to be back")


def test_after_a_reboot_a_pid_that_belongs_to_somebody_else_does_not_block(data: Path) -> None:
    with EmbeddedServers(data):
        pid_file = (data / "postgres" / "postmaster.pid").read_text()
    _, *rest = pid_file.splitlines()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (data / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger.pid), *rest]) + "\n")
        lock = Layout(data).postgres_socket.with_name(".s.PGSQL.5432.lock")
        lock.write_text("\n".join([str(stranger.pid), *rest]) + "\n")
        Layout(data).keeper_lock.write_text(str(stranger.pid))
        with EmbeddedServers(data) as endpoints:
            assert query(endpoints, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_first_start_that_was_killed_half_way_is_begun_anew(data: Path) -> None:
    (data / "postgres.new" / "base").mkdir(parents=True)
    (data / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(data) as endpoints:
        assert query(endpoints, "SELECT 1") == 1
    assert not (data / "postgres.new").exists()


def test_a_long_and_unusual_path_works() -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        data = Path(folder) / "鄞州区 应急" / ("很长的目录" * 8) / "data #1?"
        with EmbeddedServers(data) as endpoints:
            assert query(endpoints, "SELECT 1") == 1
            with redis.Redis.from_url(endpoints.redis_url) as client:
                assert client.ping()
        wait_for(lambda: servers_left(data) == [], what="the keeper to be gone")


def test_a_path_of_middle_length_with_strange_letters_keeps_its_sockets_beside_the_data() -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        data = Path(folder) / "应急 #1?&%20"
        with EmbeddedServers(data) as endpoints:
            assert (data / "run").is_dir()
            assert query(endpoints, "SELECT 1") == 1
            with redis.Redis.from_url(endpoints.redis_url) as client:
                assert client.ping()


def test_data_of_another_version_is_refused_with_a_remedy(data: Path) -> None:
    with EmbeddedServers(data):
        pass
    (data / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(UnavailableError, match="PostgreSQL 15"):
        EmbeddedServers(data).start()


def test_a_broken_configuration_is_reported_with_the_end_of_the_log(data: Path) -> None:
    with EmbeddedServers(data):
        pass
    (data / "postgres" / "local.conf").write_text("max_connections = many\n")
    with pytest.raises(UnavailableError, match="max_connections"):
        EmbeddedServers(data).start()
    (data / "postgres" / "local.conf").write_text("max_connections = 42\n")
    with EmbeddedServers(data) as endpoints:
        assert query(endpoints, "SHOW max_connections") == "42"


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError) as caught:
        EmbeddedServers(tmp_path / "file" / "data").start()
    assert caught.value.remedy


def test_only_the_wanted_server_is_started(data: Path) -> None:
    with EmbeddedServers(data, servers=["valkey"]) as endpoints:
        with redis.Redis.from_url(endpoints.redis_url) as client:
            assert client.ping()
        assert not (data / "postgres").exists()
        with pytest.raises(UnavailableError, match="postgres"):
            EmbeddedServers(data).start()


def test_terminating_the_keeper_stops_everything_in_order(data: Path) -> None:
    servers = EmbeddedServers(data)
    servers.start()
    keeper(data).send_signal(signal.SIGTERM)
    wait_for(lambda: servers_left(data) == [], what="the servers to stop")
    servers.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_may_keep_its_data_in_a_folder_closed_to_others() -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        Path(folder).chmod(0o700)
        data = Path(folder) / "closed" / "data"
        with EmbeddedServers(data) as endpoints:
            assert query(endpoints, "SELECT 1") == 1
            assert postmaster(data).uids().effective != 0
        assert Path(folder).stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_servers_account_finds_programs_in_a_closed_folder_and_has_no_other_right_of_root() -> None:
    look = "import os, sys; print(os.access(sys.argv[1], os.X_OK), os.getuid(), open('/proc/self/status').read())"
    nobody = Account(user=65534, group=65534, borrowed=True)
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        program = Path(folder) / "program"
        program.touch(mode=0o755)
        Path(folder).chmod(0o700)
        told = subprocess.run(
            [sys.executable, "-c", look, str(program)],
            check=False,
            preexec_fn=lambda: become(nobody),
            capture_output=True,
            text=True,
        )
    assert told.stdout.startswith("True 65534 "), told.stderr
    for rights in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert f"{rights}:\t0000000000000002\n" in told.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_the_servers_as_itself(data: Path) -> None:
    nobody = Account(user=65534, group=65534, borrowed=True)
    data.mkdir()
    os.chown(data, nobody.user, nobody.group)
    holder = hold(data, preexec_fn=lambda: become(nobody))
    assert {process.uids().effective for process in keeper(data).children()} == {nobody.user}
    kill(holder)
    wait_for(lambda: servers_left(data) == [], what="the servers to stop")


async def test_a_watch_replaces_a_dead_keeper_by_itself(data: Path) -> None:
    servers = EmbeddedServers(data)
    await asyncio.to_thread(servers.start)
    watching = asyncio.create_task(watch(servers, every=0.05))
    dead = Layout(data).keeper_lock.read_text()
    os.kill(int(dead), signal.SIGKILL)
    await wait_until(lambda: Layout(data).keeper_lock.read_text() not in {"", dead}, what="a new keeper")
    await wait_until(Layout(data).report.exists, what="the new keeper's servers")
    watching.cancel()
    await asyncio.to_thread(servers.stop)
