"""The browser of the tests: the machine's own Chromium, from Debian's packages."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.parties import program
from tests.harness.waiting import wait_for

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """Its path; see `program`."""
    return program("chromium", "chromium-browser", "google-chrome", package="chromium fonts-noto-cjk")


@contextmanager
def running() -> Iterator[str]:
    """A browser with an empty profile; where its debugging protocol is spoken. It ends with the block."""
    with tempfile.TemporaryDirectory(prefix="daohu-chromium-", ignore_cleanup_errors=True) as profile:
        log = Path(profile) / "said.log"
        command = [executable(), "--headless", *ARGUMENTS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
            try:
                yield wait_for(lambda: _address(log), what=f"Chromium to listen (see {log})")
            finally:
                process.terminate()


def _address(log: Path) -> str:
    found = re.search(r"DevTools listening on (ws://\S+)", log.read_text(errors="replace"))
    return found[1] if found else ""
