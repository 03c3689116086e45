"""The driver of terminals that dial in keeps the contract, against a population of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Fronts, Script, TerminalsFront
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.patience import unhurried
from tests.contract.rehearsal_peer import WILLING, TerminalsPeer, mp3, terminal_codes
from tests.harness.ports import free_port

CODES = terminal_codes(42)


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[TerminalsPeer]:
    """A population of its own for each promise: what one leaves unreported would be another's surprise."""
    front = TerminalsFront(dial=f"tcp:127.0.0.1:{free_port()}", codes=tuple(CODES), heartbeat=3.0, redial=0.1)
    script = Script(loudspeaker=WILLING, fronts=Fronts(terminals=front))
    async with RehearsalProcess(tmp_path / "rehearsal", script) as rehearsal:
        yield TerminalsPeer(rehearsal, CODES, mp3(tmp_path))


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_of_terminals_keeps_its_promise(promise: Promise, peer: TerminalsPeer) -> None:
    try:
        await promise.check(Registry.installed().plugin(Medium.LOUDSPEAKER, "terminal_tcp"), unhurried(peer, promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
