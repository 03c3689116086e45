"""Judging what was kept: one message after the other, each in its own transaction, by whichever worker comes first.

Reading and placing a message take time and change nothing, so they happen before; then, under a lock that all workers
share, it is seen beside all others. A message that kills whoever judges it is given up after a few tries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from broadcaster.alerts.alert import Alert, MsgType, Reference
from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.intake import words
from broadcaster.intake.becoming import Became, Case, Judge, State
from broadcaster.intake.deciding import Decide, decide
from broadcaster.intake.likeness import event, said
from broadcaster.intake.placing import Place, Where, place
from broadcaster.intake.relaying import Relay
from broadcaster.intake.sql import SQL
from broadcaster.sources import Behind, Judged, Signature, Source, SourceSettings, Verdict

MOST_TRIES = 5

LEASE = 15.0
"""Seconds that whoever judges a message has for it; then another may."""

REFERENCES_MOST = 100
_TEXT = 500
_LOCK = 0x0DA0_1CA9
"""Advisory lock: whether two messages are the same is asked by one transaction at a time."""

_NOWHERE = Place(Where.UNKNOWN)
_GONE = "来源已不在设置中，无法判断"
_GIVEN_UP = "多次处理失败，已放弃；请查看原文"
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """What judging is done with. `sources` are those of the settings, each with what understands it; `relay` sends out
    what may go out by itself, None where nothing does."""

    database: Database
    clock: Clock
    sources: Mapping[str, tuple[SourceSettings, Source]]
    district: str
    district_name: str
    decide: Decide = decide
    relay: Relay | None = None

    async def settle(self) -> int:
        """Judge the next message that nobody has judged, or is judging; how many there were, 0 or 1."""
        async with self.database.connection() as connection:
            row = await connection.fetchrow(SQL["begin"], LEASE)
        if row is None:
            return 0
        try:
            await self._settle(row)
        except Exception:
            with suppress(*DATABASE_AWAY):
                async with self.database.connection() as connection:
                    await connection.execute(SQL["let_go"], row["id"])
            raise
        return 1

    async def _settle(self, row: Any) -> None:
        judged, where = await self._try(row)
        async with self.database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if await connection.fetchval(SQL["lock"], row["id"]) is None:
                return  # another worker was faster
            became = await self._become(connection, row, judged, where)
            await self._write(connection, row["id"], row["source"], judged, where, became)
        if became.issued is not None and self.relay is not None:
            await self.relay.announce(became.issued)
        _LOG.info("incoming.settled", message=row["id"], source=row["source"], state=became.state.value)

    def behind(self, gateway: str) -> str | None:
        """The name of the source whose messages come to that gateway's door."""
        found = (name for name, (_, one) in self.sources.items() if isinstance(one, Behind) and one.gateway == gateway)
        return next(found, None)

    async def look(self, source: str, document: bytes) -> tuple[Judged, Place]:
        """A message by itself: what it is worth, and where it applies."""
        known = self.sources.get(source)
        if known is None:
            return Judged(Verdict.REFUSED, (_GONE,), None), _NOWHERE
        settings, adapter = known
        judged = await asyncio.to_thread(adapter.judge, document, self.clock.now())
        if judged.alert is None:
            return judged, _NOWHERE
        return judged, await place(self.database, judged.alert, settings.codes, self.district, self.district_name)

    async def words(self, source: str, document: bytes) -> tuple[str, ...]:
        """What a message says to people: its description and its instruction; () where it cannot be understood."""
        if (known := self.sources.get(source)) is None:
            return ()
        judged = await asyncio.to_thread(known[1].judge, document, self.clock.now())
        info = judged.alert.info("zh-CN") if judged.alert is not None else None
        return tuple(filter(None, (info.description, info.instruction))) if info is not None else ()

    async def _try(self, row: Any) -> tuple[Judged, Place]:
        if row["tries"] > MOST_TRIES:
            return Judged(Verdict.REFUSED, (_GIVEN_UP,), None), _NOWHERE
        judged, where = await self.look(row["source"], row["document"])
        if row["proven"] is not None:  # whoever brought it has looked
            judged = replace(judged, signature=Signature.GOOD if row["proven"] else Signature.UNCHECKED)
        return judged, where

    async def _become(self, connection: Connection, row: Any, judged: Judged, where: Place) -> Became:
        if judged.alert is None:
            return Became(State.REFUSED)
        settings, _ = self.sources[row["source"]]
        judge = Judge(connection, self.decide, self.clock.now(), self.relay)
        return await judge.become(Case(row["id"], settings, judged.alert, where, judged.signature))

    async def _write(
        self, connection: Connection, number: int, source: str, judged: Judged, where: Place, became: Became
    ) -> None:
        wanted = self._wants_answer(source, judged, became)
        await write(connection, number, judged, where, became, self.clock.now(), answer=wanted)

    def _wants_answer(self, source: str, judged: Judged, became: Became) -> bool:
        """Whether the source asks for an Ack or Error, and this is a message that can be answered."""
        known = self.sources.get(source)
        if known is None or not known[0].answer_to or became.state is State.REPEATED:
            return False
        if judged.alert is None:
            return judged.named is not None
        return judged.alert.msg_type in (MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL)


async def write(
    connection: Connection, number: int, judged: Judged, where: Place, became: Became, now: datetime, *, answer: bool
) -> None:
    """Keep what a message is worth and what it has become; `answer`: its source is to be told."""
    alert = judged.alert
    values = _columns(alert, where) if alert is not None else _names(judged.named)
    signature = "" if judged.signature is Signature.NONE else judged.signature.value
    await connection.execute(
        SQL["settle"],
        number,
        became.state.value,
        judged.verdict.value,
        [_storable(reason) for reason in judged.reasons],
        signature,
        *values,
        list(where.covered),
        where.where.value if alert is not None else "",
        _storable(became.note),
        became.same_as,
        became.draft_key,
        now,
        answer,
        words.kept(became.note, judged.reasons),
    )


def _names(named: Reference | None) -> tuple[object, ...]:
    """What is known of a message that is refused."""
    called = (_storable(named.identifier), _storable(named.sender), named.sent) if named else ("", "", None)
    return (*called, "", "", "", "", "", "", [], None, None, None)


def _columns(alert: Alert, where: Place) -> tuple[object, ...]:
    """What a list shows of a message, and by what it is found again."""
    info = alert.info("zh-CN")
    described = "、".join(dict.fromkeys(area.description for one in alert.infos for area in one.areas))
    return (
        _storable(alert.identifier),
        _storable(alert.sender),
        alert.sent,
        alert.status.value,
        alert.msg_type.value,
        alert.hazard,
        alert.colour.value if alert.colour else "",
        _storable((info.headline or info.event) if info else ""),
        _storable(described),
        [_storable(one.identifier) for one in alert.references[:REFERENCES_MOST]],
        alert.expires,
        said(alert),
        event(alert, where),
    )


def _storable(text: str) -> str:
    return text.replace("\0", "")[:_TEXT]
