"""The SMPP driver keeps the contract against a short message centre built on the npm package `smpp`."""

from __future__ import annotations

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.patience import unhurried
from tests.contract.smpp_peer import SmppPeer
from tests.harness.smsc import Smsc


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_smpp_driver_keeps_its_promise(promise: Promise) -> None:
    plugin = Registry.installed().plugin(Medium.SMS, "smpp")
    async with Smsc() as smsc:
        try:
            await promise.check(plugin, unhurried(SmppPeer(smsc), promise))
        except NotPromised as reason:
            pytest.skip(str(reason))
