"""Ending tasks: who does not hear is told again, and left when the time is over, with a word about where he stands."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from broadcaster.share import Share, together
from broadcaster.tasks import ended, whereabouts, whole


async def _deaf(hears: asyncio.Event) -> None:
    """Mistakes every word to end for something else, until it hears."""
    while not hears.is_set():
        try:
            await hears.wait()
        except asyncio.CancelledError:
            continue


async def test_who_mistakes_the_word_to_end_is_told_again() -> None:
    mistaken = asyncio.Event()

    async def once() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            mistaken.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(once())
    await asyncio.sleep(0)
    await ended(task, patience=0.01)
    assert mistaken.is_set()
    assert task.cancelled()


async def test_who_never_hears_is_left_when_the_time_is_over_and_it_is_said_where_he_stands() -> None:
    hears = asyncio.Event()
    task = asyncio.create_task(_deaf(hears), name="courier-sms-1")
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await ended(task, patience=0.01, by=asyncio.get_running_loop().time() + 0.05)
    assert not task.done()
    (said,) = logs
    assert said["event"] == "task.overdue"
    assert said["task"] == "courier-sms-1"
    assert "_deaf" in said["at"]
    assert "locks.py" in said["at"]
    hears.set()
    await task


async def test_a_time_that_is_over_already_is_still_the_word_to_end() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    await ended(task, by=0.0)
    await asyncio.wait({task})
    assert task.cancelled()


async def test_the_places_where_a_task_waits_are_told_from_the_outermost() -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner()

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    assert [place.rpartition(" ")[2] for place in whereabouts(task).split(" > ")][:3] == ["outer", "inner", "wait"]
    await ended(task)
    assert whereabouts(task) == ""


async def test_all_that_a_worker_does_winds_up_at_the_same_time() -> None:
    """Each finishes only once the other has begun to."""
    ending = [asyncio.Event(), asyncio.Event()]

    async def part(own: asyncio.Event, other: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            own.set()
            await other.wait()

    share = Share(running={"listener": lambda: part(ending[1], ending[0])}, patience=60)
    work = asyncio.create_task(together(part(ending[0], ending[1]), [share], ()))
    for _ in range(3):
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 60)


async def test_what_must_be_known_to_its_end_is_cut_off_only_by_the_second_word() -> None:
    done: list[str] = []
    go_on = asyncio.Event()

    async def claim() -> None:
        done.append("asked")
        await go_on.wait()
        done.append("answered")

    first = asyncio.create_task(whole(claim()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait({first})
    assert first.cancelled()
    assert done == ["asked", "answered"]

    go_on.clear()
    second = asyncio.create_task(whole(claim()))
    for _ in range(4):
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait({second})
    assert done == ["asked", "answered", "asked"]
