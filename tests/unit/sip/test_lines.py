"""Lines: never more calls than there are, whoever comes first is served first, none is lost."""

from __future__ import annotations

import asyncio

from channels.voice.sip.lines import Lines


async def turn(times: int = 3) -> None:
    """Let everything that can go on go on."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_who_waits_is_served_in_order_and_room_is_told_when_nobody_waits() -> None:
    lines, freed, served = Lines(1), list[int](), list[int]()
    lines.open()
    lines.when_freed(lambda: freed.append(lines.free))
    lines.want(3)
    assert lines.free == -2

    async def call(number: int) -> None:
        assert await lines.take()
        served.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(3)]
    await turn()
    assert served == [0]
    freed.clear()
    lines.release()
    await turn()
    lines.release()
    await turn()
    assert served == [0, 1, 2]
    lines.release()
    assert freed[-1] == 1
    await asyncio.gather(*tasks)


async def test_who_gives_up_waiting_keeps_no_line() -> None:
    lines = Lines(1)
    lines.open()
    lines.want(3)
    assert await lines.take()
    second, third = asyncio.create_task(lines.take()), asyncio.create_task(lines.take())
    await turn()
    second.cancel()
    await turn()
    lines.release()
    assert await third
    lines.release()
    assert lines.free == 1


async def test_who_is_served_and_cancelled_at_once_gives_the_line_back() -> None:
    lines = Lines(1)
    lines.open()
    lines.want(2)
    assert await lines.take()
    waiting = asyncio.create_task(lines.take())
    await turn()
    lines.release()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if not waiting.cancelled():
        lines.release()
    assert lines.free == 1


async def test_closed_lines_are_nobodys() -> None:
    lines = Lines(1)
    lines.open()
    lines.want(3)
    assert await lines.take()
    waiting = asyncio.create_task(lines.take())
    await turn()
    lines.close()
    assert not await waiting
    assert not await lines.take()
    lines.release()
    assert lines.free == 1
