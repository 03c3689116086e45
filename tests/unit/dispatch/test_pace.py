"""An account's limit holds at the gateway's door, whatever is delayed on the way there."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque

import pytest

from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.slots import Gateway, Slot, usable
from broadcaster.ports import GatewaySettings, Medium


def slots(rate: float, count: int) -> list[Slot]:
    settings = GatewaySettings("sms", Medium.SMS, "rehearsal", rate=rate, slots=count)
    return [Slot(Gateway(1, settings), number) for number in range(1, usable(settings) + 1)]


@pytest.mark.parametrize(("rate", "count"), [(160, 2), (5, 2), (3, 5), (100, 7), (1, 1), (2.5, 2)])
def test_the_slots_of_an_account_share_its_rate_and_no_more(rate: float, count: int) -> None:
    shares = slots(rate, count)
    assert sum(slot.tokens for slot in shares) == int(rate)
    assert all(slot.tokens >= 1 and slot.period == 1.0 for slot in shares)


def test_an_account_of_less_than_one_message_a_second_has_one_slot_and_a_longer_window() -> None:
    (slot,) = slots(0.25, 3)
    assert (slot.tokens, slot.period) == (1, 4.0)


async def test_no_window_at_the_gateway_holds_more_than_the_rate_however_long_messages_are_on_their_way() -> None:
    tokens, period, chance = 10, 0.2, random.Random(3)
    pace, taken = Pace(tokens, period), deque[float]()

    async def through_the_network() -> None:
        await asyncio.sleep(chance.choice([0, 0, 0.01, 0.15]))
        taken.append(time.monotonic())
        await asyncio.sleep(chance.choice([0, 0.02]))
        pace.answered(1)

    async with asyncio.TaskGroup() as sending:
        for _ in range(8 * tokens):
            await pace.turn(1)
            sending.create_task(through_the_network())

    moments = sorted(taken)
    crowded = [sum(start <= one < start + period for one in moments) for start in moments]
    assert max(crowded) <= tokens
    assert max(crowded) >= tokens // 2, "a limit that is kept by hardly sending is no feat"
