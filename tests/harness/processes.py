"""daohu's commands as real processes: started, watched, killed, their output kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[2]


class DaohuProcess:
    """One running command, in a process group of its own; standard output and error go to a file each."""

    def __init__(
        self,
        *words: str,
        folder: Path,
        name: str = "daohu",
        module: str = "broadcaster.cli",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [sys.executable, "-m", module, *words]
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self.output = folder / f"{name}.out"
        self.log = folder / f"{name}.log"
        self._begin = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.output.open("ab") as output, self.log.open("ab") as log:
            self._begin = log.tell()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._started().pid

    def said(self) -> str:
        """The log since the last start."""
        return self.log.read_bytes()[self._begin :].decode(errors="replace")

    def wait_for_log(self, words: str, *, within: float = PATIENCE) -> str:
        """The first line of `said()` that contains `words`; fails at once when the process ends before."""

        def look() -> str:
            ended = not self.running
            for line in self.said().splitlines():
                if words in line:
                    return line
            if ended:
                raise AssertionError(f"ended without saying {words!r}:\n{self.said()[-4000:]}")
            return ""

        return wait_for(look, within=within, what=f"{words!r} in {self.log}")

    def kill(self) -> None:
        """SIGKILL to this process alone, as a crash would; what it started lives on."""
        process = self._started()
        process.kill()
        process.wait()

    def stop(self, *, within: float = 90.0) -> int:
        """SIGTERM, and the exit code; whatever is left of its group after `within` seconds is killed."""
        process = self._started()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return self.wait(within=within)

    def wait(self, *, within: float = PATIENCE) -> int:
        """The exit code, once it has ended by itself."""
        process = self._started()
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"still running after {within:g} s:\n{self.said()[-4000:]}") from None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("Start the process first.")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.stop()


def run_daohu(
    *words: str, folder: Path, within: float = 60.0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nothing is raised for its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "broadcaster.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def last_object(output: str) -> dict[str, Any]:
    """The JSON object on the last line of a command's standard output (`--json`)."""
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found
