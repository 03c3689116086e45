"""The drivers of the carriers' own protocols keep the contract."""

from __future__ import annotations

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.carrier_peer import PROTOCOLS, CarrierPeer, Protocol
from tests.contract.patience import unhurried


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=str)
@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_carriers_driver_keeps_its_promise(promise: Promise, protocol: Protocol) -> None:
    plugin = Registry.installed().plugin(Medium.SMS, protocol.plugin.name)
    async with protocol.gateway() as gateway:
        try:
            await promise.check(plugin, unhurried(CarrierPeer(protocol, gateway), promise))
        except NotPromised as reason:
            pytest.skip(str(reason))
