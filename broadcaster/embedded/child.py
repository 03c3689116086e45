"""A server process as a child of the keeper: it gets a farewell signal from the kernel if the keeper dies."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from broadcaster.embedded.account import Account, become

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 8 * 1024 * 1024


class Child:
    """One server process. `pid` is its process id; `said` what it has written to its log since it was started."""

    def __init__(
        self, command: Sequence[str], account: Account, log: Path, *, folder: Path, farewell: signal.Signals
    ) -> None:
        """Start `command` as `account`, writing to `log`; `farewell` is what the kernel sends it when we die.

        Call it from the main thread only: the kernel watches the thread that forked, not the process.
        """
        parent = os.getpid()

        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.umask(0o077)
            become(account)
            # After the change of account: the kernel forgets the farewell signal when the user changes.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        _turn_over(log)
        self._log = log
        with log.open("ab") as output:
            self._begin = output.tell()
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                preexec_fn=prepare,  # noqa: PLW1509 - the keeper has one thread
            )
        self.pid = self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        return self._process.wait()

    def said(self, lines: int = 12) -> str:
        """The last lines of its log, of this run only."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._begin)
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn until it has ended; each step waits its seconds. SIGKILL is the last step."""
        for name, seconds in steps:
            if self.ended is not None:
                return
            self._process.send_signal(name)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        if self.ended is None:
            self._process.kill()
            self._process.wait()


def _environment() -> dict[str, str]:
    """Ours without what would steer the servers behind our back (PGDATA, PGPORT, LC_ALL…)."""
    kept = {"PATH", "TMPDIR", "LD_LIBRARY_PATH"}
    return {name: value for name, value in os.environ.items() if name in kept} | {"LC_ALL": "C"}


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))
