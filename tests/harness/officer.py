"""The duty officer of a test: sends alerts out, and presses the button again when the database was away."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tortoise.exceptions import OperationalError

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.database import DATABASE_AWAY
from broadcaster.demo.play import APPROVER, OFFICER
from broadcaster.house import House

PATIENCE = 60.0
"""Seconds after which an alert that cannot be sent out is a fault."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Whoever sits at this house's desk."""

    house: House

    async def send(self, alert: Alert) -> AlertRecord:
        """Author, submit, approve and issue `alert`, each step until it is done; it is issued once."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                record = await authoring.create(self.house.database, alert, OFFICER, self.house.clock.now())
                while record.state != State.ISSUED:
                    record = await self._forward(record)
            except (*DATABASE_AWAY, OperationalError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                await self.house.announce(record.id)
                return record

    async def _forward(self, record: AlertRecord) -> AlertRecord:
        house, rules = self.house, self.house.office.rules
        now = house.clock.now()
        match record.state:
            case State.DRAFT:
                return await authoring.submit(house.database, record.id, OFFICER, now, rules=rules)
            case State.IN_REVIEW:
                return await authoring.approve(
                    house.database, record.id, APPROVER, now, version=record.version, rules=rules
                )
            case _:
                return await house.issue(record.id, APPROVER)
