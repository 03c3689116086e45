"""The drivers of WeChat's platforms keep the contract, against platforms in other processes that check and seal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broadcaster.ports import Medium
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, NotPromised, Promise
from tests.contract.patience import unhurried
from tests.contract.wechat_peer import KEYS, PLATFORM, WechatPeer
from tests.harness.cloud import CloudProcess, running_cloud


@pytest.fixture(scope="module", params=list(KEYS))
def platform(request: pytest.FixtureRequest) -> Iterator[tuple[str, CloudProcess]]:
    with running_cloud(PLATFORM[request.param]) as process:
        yield request.param, process


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise(promise: Promise, platform: tuple[str, CloudProcess]) -> None:
    driver, process = platform
    plugin = Registry.installed().plugin(Medium.WECHAT, driver)
    try:
        await promise.check(plugin, unhurried(WechatPeer(driver, process, len(await process.taken())), promise))
    except NotPromised as reason:
        pytest.skip(str(reason))
    finally:
        await process.ask("forget")
