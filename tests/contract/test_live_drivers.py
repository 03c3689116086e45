"""The drivers of plain audio lines keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.live_peer import LINES, ONVIF, Line, LivePeer
from tests.contract.patience import unhurried
from tests.contract.rehearsal_peer import mp3


@pytest.mark.parametrize("line", LINES, ids=str)
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_of_a_line_keeps_its_promise(promise: Promise, line: Line, tmp_path: Path) -> None:
    if line is ONVIF and promise.name == "a dead address is unavailable":
        pytest.skip("cameras are connected to one by one: that none answers is said of each")
    plugin = Registry.installed().plugin(Medium.LOUDSPEAKER, line.driver)
    async with line.server() as server:
        try:
            await promise.check(plugin, unhurried(LivePeer(line, server, mp3(tmp_path, 0.3)), promise))
        except NotPromised as reason:
            pytest.skip(str(reason))
