"""Gateways that misbehave: for a while the carrier follows another script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import msgspec

from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Delay, Faults
from tests.crash.fault import Fault
from tests.harness.outpost import Outpost

CHANNELS = (Medium.SMS, Medium.WECHAT)

SECONDS = (1.0, 2.5)
"""How long it lasts."""


class OddGateway(Fault):
    """`changes` hold on the channels of text for some seconds at a time. A carrier that keeps validity periods
    (`validity`) does so all the time."""

    def __init__(
        self,
        name: str,
        *,
        faults: Faults | None = None,
        validity: bool = False,
        **changes: object,
    ) -> None:
        self.name = name
        self._validity = validity
        self._changes: Mapping[str, object] = {**changes, "faults": faults or Faults()}

    async def prepare(self, post: Outpost) -> None:
        for medium in CHANNELS:
            await post.rehearsal.client.behave(medium, validity=self._validity)

    async def strike(self, post: Outpost, chance: Random) -> int:
        before = {medium: post.script.behaviour(medium, "") for medium in CHANNELS}
        for medium in CHANNELS:
            await post.rehearsal.client.behave(medium, **self._changes)
        await asyncio.sleep(chance.uniform(*SECONDS))
        for medium, behaviour in before.items():
            usual = msgspec.structs.asdict(behaviour)
            await post.rehearsal.client.behave(medium, **{key: usual[key] for key in self._changes})
        return 0


ODD_GATEWAYS: dict[str, Callable[[], OddGateway]] = {
    "hangs": partial(OddGateway, "gateway hangs", faults=Faults(hang_after=20, hang_for=1.5)),
    "hangs-for-good": partial(OddGateway, "gateway hangs for good", faults=Faults(hang_after=40, hang_for=60)),
    "half-open": partial(OddGateway, "half-open connection", faults=Faults(half_open=0.2, hang=0.2)),
    "slow": partial(OddGateway, "gateway reads slowly", validity=True, faults=Faults(read_rate=4000)),
    "garbage": partial(OddGateway, "garbage bytes", faults=Faults(garbage=0.05)),
    "cut": partial(OddGateway, "connection cut", faults=Faults(cut=0.05)),
    "shuffled": partial(
        OddGateway, "answers out of order", faults=Faults(shuffle=1), answer=Delay(median=0.05, spread=1, most=2)
    ),
    "receipts": partial(
        OddGateway,
        "receipts early, late, twice, for unknown ids, with wrong keys",
        early=0.3,
        late=0.2,
        late_after=Delay(median=1.0),
        duplicate=0.3,
        stray=0.3,
        wrong=0.3,
    ),
}
"""The misbehaviours, one by one."""
