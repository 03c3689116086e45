"""The CMPP driver keeps the contract, in both versions."""

from __future__ import annotations

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.cmpp_peer import CmppPeer
from tests.harness.cmpp_gateway import Gateway


@pytest.mark.parametrize("third", [False, True], ids=["2.0", "3.0"])
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_cmpp_driver_keeps_its_promise(promise: Promise, third: bool) -> None:
    plugin = Registry.installed().plugin(Medium.SMS, "cmpp")
    async with Gateway(third=third) as gateway:
        try:
            await promise.check(plugin, CmppPeer(gateway))
        except NotPromised as reason:
            pytest.skip(str(reason))
