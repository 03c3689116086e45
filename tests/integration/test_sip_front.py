"""The rehearsal as a telephone exchange, against a caller that nobody here wrote: SIPp with its own scenario."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Fronts, Script, SipFront
from tests.harness.calls import NUMBER
from tests.harness.parties import program
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

QUICK = Behaviour(answer=Delay(), receipt=Delay(median=0.05))


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_sipp_calls_and_hangs_up_as_it_does_everywhere(tmp_path: Path, tcp: bool) -> None:
    path = program("sipp", package="sip-tester")
    script = Script(voice=QUICK, fronts=Fronts(sip=SipFront()))
    async with RehearsalProcess(tmp_path / "rehearsal", script) as rehearsal:
        at = rehearsal.fronts["sip"]
        caller = await asyncio.create_subprocess_exec(
            path, "-sn", "uac", f"{at.host}:{at.port}", "-i", "127.0.0.1", "-p", str(free_port()), "-s", NUMBER,
            "-t", "t1" if tcp else "u1", "-m", "5", "-l", "2", "-d", "300", "-nostdin", "-timeout", "60s",
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(90):
            _, said = await caller.communicate()
        assert caller.returncode == 0, said.decode(errors="replace")
        await wait_until(lambda: len(rehearsal.report().calls) >= 5, what="five calls in the book")
        report = rehearsal.report()
    assert [one.address for one in report.taken] == [NUMBER] * 5
    assert [call.how for call in report.calls] == ["听完"] * 5
