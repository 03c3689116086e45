"""A process that was told to end is gone in time, whatever hangs in it, and says what that was."""

from __future__ import annotations

import signal
import subprocess
import sys

DEAF = """
import asyncio, sys
from broadcaster.cli.running import run_until_stopped

async def deaf():
    print("at work", flush=True)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

sys.exit(asyncio.run(run_until_stopped([deaf()], within=0.5)))
"""

STUCK = DEAF.replace("pass", "__import__('time').sleep(300)")


FAULTY = """
import asyncio, sys
from broadcaster.cli.running import run_until_stopped

async def deaf():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def outdated():
    print("at work", flush=True)
    await asyncio.sleep(0.2)
    raise SystemError("the database demands a newer program")

sys.exit(asyncio.run(run_until_stopped([deaf(), outdated()], within=0.5)))
"""


def _ended(program: str, *, told: bool = True) -> tuple[int, str]:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "at work\n"
            if told:
                process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, said


def test_a_part_that_does_not_hear_is_named_and_the_process_ends() -> None:
    code, said = _ended(DEAF)
    assert code == 1
    assert "process.overdue" in said
    assert "deaf > locks.py" in said


def test_a_process_whose_loop_hangs_ends_all_the_same() -> None:
    code, said = _ended(STUCK)
    assert code == 1
    assert "process.overdue" in said


def test_a_process_that_ends_because_a_part_of_it_did_waits_no_longer_for_the_others() -> None:
    code, said = _ended(FAULTY, told=False)
    assert code == 1
    assert "process.overdue" in said
