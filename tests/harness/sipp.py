"""Debian's SIPp as the one that is called, by the scenarios in tests/peers/sipp: it checks on its own that we say what
the scenario expects, and ends with an error where we do not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.parties import program
from tests.harness.ports import free_port, listens
from tests.harness.waiting import wait_for

SCENARIOS = Path(__file__).parent.parent / "peers" / "sipp"


@dataclass(frozen=True, slots=True)
class Called:
    """A SIPp that waits for one call at `port`."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    def passed(self, within: float = 60.0) -> bool:
        """Whether its scenario came to its end, as written."""
        return self.process.wait(within) == 0

    def said(self) -> str:
        """What it complained of."""
        return "\n".join(one.read_text("utf-8", "replace")[-2000:] for one in self.folder.glob("*_errors.log"))


@contextmanager
def sipp(folder: Path, scenario: str, *, tcp: bool = False) -> Iterator[Called]:
    """Plays `scenario` once."""
    path = program("sipp", package="sip-tester")
    port = free_port()
    process = subprocess.Popen(
        [
            path, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(port),
            "-t", "t1" if tcp else "u1", "-m", "1", "-nostdin", "-trace_err", "-timeout", "60s",
            "-mp", str(-(-free_port() // 2) * 2),
        ],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        kind = "tcp" if tcp else "udp"
        wait_for(lambda: process.poll() is not None or listens(port, kind), what="SIPp to listen")
        assert process.poll() is None, "SIPp did not start"
        yield Called(port, process, folder)
    finally:
        process.kill()
        process.wait()
