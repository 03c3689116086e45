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


def spawn(
    command: Sequence[str], account: Account, log: Path, *, folder: Path, farewell: signal.Signals
) -> subprocess.Popen[bytes]:
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
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            preexec_fn=prepare,  # noqa: PLW1509 - the keeper has one thread
        )


def stop(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn until the process has ended; each step waits its seconds. SIGKILL is the last step."""
    for name, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(name)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for an error report."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def _environment() -> dict[str, str]:
    """Ours without what would steer the servers behind our back (PGDATA, PGPORT, LC_ALL…)."""
    kept = {"PATH", "TMPDIR", "LD_LIBRARY_PATH"}
    return {name: value for name, value in os.environ.items() if name in kept} | {"LC_ALL": "C"}


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))
