"""What triggers need of a worker: instruments are listened to, rules watched, readings kept for as long as they are
wanted, silent stations marked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.sensing import Sensor
from broadcaster.share import Share
from broadcaster.tasks import look_after
from broadcaster.triggers import silence
from broadcaster.triggers.acting import Hand
from broadcaster.triggers.listening import Listening
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.watching import Watch

WATCH = 0.5
"""Seconds at the most between two looks at the rules at work. They are no chore of the worker's: a flood of replies to
the last alert must not hold up the next one."""

UPKEEP = 60.0
"""Seconds between two looks at what is kept and who is silent."""

CLOSING = 15.0
"""Seconds for a listener to store what it has taken."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """What is measured, and by whom; a station is silent after `silence` of its periods without a word."""

    readings: Readings
    sensors: Mapping[str, Sensor]
    silence: float


def share(database: Database, clock: Clock, instruments: Instruments, hand: Hand, owner: str) -> Share:
    """Listens in the name of `owner` and acts by `hand`."""
    readings = instruments.readings

    async def watch() -> bool:
        return await Watch(hand).look() > 0

    async def keep_up() -> bool:
        await readings.forget_old()
        await silence.fall_silent(database, clock.now(), instruments.silence)
        await asyncio.sleep(UPKEEP)
        return False

    listeners = {
        f"sensor-{name}": Listening(database, clock, readings, name, sensor, owner)
        for name, sensor in instruments.sensors.items()
    }
    return Share(
        tended={"readings": keep_up},
        running={
            "rules": partial(look_after, "rules", watch, DATABASE_AWAY, WATCH),
            **{name: listener.run for name, listener in listeners.items()},
        },
        patience=CLOSING,
    )
