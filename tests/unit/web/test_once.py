"""What many ask for at once is done once."""

from __future__ import annotations

import asyncio

import pytest

from broadcaster.web.pages.once import Once


async def test_a_hundred_who_ask_together_wait_for_one_making() -> None:
    once: Once[str, int] = Once()
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0)
        return made

    assert await asyncio.gather(*(once.get("alert", "state", make) for _ in range(100))) == [1] * 100
    assert await once.get("alert", "state", make) == 1
    assert await once.get("alert", "newer", make) == 2
    assert await once.get("other", "newer", make) == 3


async def test_a_fault_is_told_to_all_who_wait_and_tried_anew_by_the_next() -> None:
    once: Once[str, int] = Once()

    async def fail() -> int:
        raise ConnectionError("away")

    async def make() -> int:
        return 1

    found = await asyncio.gather(*(once.get("alert", "s", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [ConnectionError] * 3
    assert await once.get("alert", "s", make) == 1


async def test_one_who_leaves_does_not_take_it_from_the_others() -> None:
    once: Once[str, int] = Once()
    gate = asyncio.Event()

    async def make() -> int:
        await gate.wait()
        return 1

    first = asyncio.ensure_future(once.get("alert", "s", make))
    second = asyncio.ensure_future(once.get("alert", "s", make))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first
