"""Answering a source that asks for it: CAP Ack for what could be used, CAP Error for what was refused, at least once.

An Ack says that the message was received and understood; what becomes of it is an officer's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert, MsgType, Reference, Scope, Status
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.intake.sql import SQL
from broadcaster.outlets import Hook, NotTold, Outlet, OutletKind, Parcel
from broadcaster.sources import SourceSettings

CAP = "application/cap+xml"
HELD = timedelta(seconds=60)
"""How long whoever takes an answer up has for it; then another may."""

FIRST, LONGEST = 10.0, 3600.0
GIVEN_UP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers are made and sent with. `write` makes CAP of an alert; `district` is the code of who answers."""

    database: Database
    clock: Clock
    outlet: Outlet
    write: Callable[[Alert], bytes]
    district: str

    async def answer(self, settings: SourceSettings) -> bool:
        """Send the next answer that is due to this source; whether there was one."""
        now = self.clock.now()
        async with self.database.connection() as connection:
            row = await connection.fetchrow(SQL["answer"], settings.name, now, now + HELD)
        if row is None:
            return False
        body = self.write(self._message(row, now))
        parcel = Parcel(f"answer-{row['id']}", body, CAP)
        result = await self.outlet.tell(
            Hook(settings.answer_to, private=settings.private, kind=OutletKind.CAP), parcel, now
        )
        state, at, reason = "sent", self.clock.now(), ""
        if isinstance(result, NotTold):
            lost = result.final or now - row["received_at"] >= GIVEN_UP
            wait = min(max(FIRST * 2.0 ** min(row["answer_tries"] - 1, 12), result.after or 0.0), LONGEST)
            state, at, reason = ("dead" if lost else "due"), at + timedelta(seconds=wait), result.reason[:300]
        async with self.database.connection() as connection:
            await connection.execute(SQL["answered"], row["id"], state, at, reason)
        return True

    def _message(self, row: Any, now: datetime) -> Alert:
        refused = row["verdict"] == "refused"
        reasons = "；".join(row["reasons"])[:1000]
        return Alert(
            identifier=authoring.new_identifier(self.district, now),
            sender=f"daohu.{self.district}",
            sent=now.replace(microsecond=0),
            status=Status(row["status"] or Status.ACTUAL),
            msg_type=MsgType.ERROR if refused else MsgType.ACK,
            scope=Scope.PRIVATE,
            addresses=(row["sender"],),
            note=reasons,
            references=(Reference(row["sender"], row["identifier"], row["sent_at"]),),
        )
