"""The drivers of the cloud providers keep the contract, against providers in other processes that verify signatures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.cloud_peer import CloudPeer
from tests.contract.patience import unhurried
from tests.harness.cloud import PROVIDERS, CloudProcess, running_cloud


@pytest.fixture(scope="module", params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Iterator[tuple[str, CloudProcess]]:
    with running_cloud(request.param) as cloud:
        yield request.param, cloud


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise(promise: Promise, provider: tuple[str, CloudProcess]) -> None:
    name, cloud = provider
    plugin = Registry.installed().plugin(Medium.SMS, name)
    try:
        await promise.check(plugin, unhurried(CloudPeer(name, cloud, len(await cloud.taken())), promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
    finally:
        await cloud.ask("forget")
