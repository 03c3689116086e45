"""The same tests hold against servers that the tests did not start: production's way, by URL."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from broadcaster.database import with_database
from broadcaster.embedded import EmbeddedServers
from broadcaster.embedded.valkey import program
from tests.harness.ports import free_port
from tests.harness.processes import ROOT
from tests.harness.waiting import wait_for

SOME = ["tests/integration/test_database.py", "tests/integration/test_doorbell.py"]


@contextmanager
def valkey_on_tcp() -> Iterator[str]:
    """A Valkey of its own on a TCP port; its URL names a database number other than the first."""
    port = free_port()
    process = subprocess.Popen([str(program()), "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/3"

    def answers() -> bool:
        try:
            with redis.Redis.from_url(url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    try:
        wait_for(answers)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.mark.skipif("DAOHU_TEST_DATABASE_URL" in os.environ, reason="the whole run is against given servers already")
def test_the_tests_pass_against_servers_given_by_url() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="daohu-") as folder,
        EmbeddedServers(Path(folder), servers=["postgres"], durable=False) as endpoints,
        valkey_on_tcp() as redis_url,
    ):
        given = {
            "DAOHU_TEST_DATABASE_URL": with_database(endpoints.database_url, "postgres"),
            "DAOHU_TEST_REDIS_URL": redis_url,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SOME],
            cwd=ROOT,
            env=os.environ | given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:]
