"""The composer: from a claimed batch to the messages that go out, with the place, link and unit of each filled in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from broadcaster.database import Database
from broadcaster.dispatch.documents import Documents
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.questions import PURPOSE as QUESTION
from broadcaster.dispatch.questions import Questions
from broadcaster.dispatch.recordings import SPOKEN, Recordings
from broadcaster.dispatch.texts import TextKey, Texts
from broadcaster.ports import DeliveryKey, Envelope, Medium, Message, Sound
from templates.skeleton import Skeleton

UnitNames = Callable[[Sequence[int]], Awaitable[Mapping[int, tuple[str, str]]]]
"""The place name and the role word of units, by id."""

Links = Callable[[int, datetime], Callable[[int], str]]
"""From an alert's id and its end to what makes the reply page's address of an ordinal."""


class LedgerComposer:
    """Fills the texts that were frozen at issue; questions have words of their own."""

    def __init__(
        self,
        database: Database,
        texts: Texts,
        recordings: Recordings,
        links: Links,
        unit_names: UnitNames,
        questions: Questions,
        documents: Documents,
    ) -> None:
        self._database = database
        self._texts = texts
        self._recordings = recordings
        self._links = links
        self._unit_names = unit_names
        self._questions = questions
        self._documents = documents
        self._regions: dict[str, str] = {}

    async def envelopes(self, batch: Batch, rows: Sequence[Row], sound: Sound | None = None) -> list[Envelope]:
        """One envelope per row, recordings in the format `sound` (None: the medium's own); `UnavailableError` when the
        audio cannot be made now, `InputError` when never."""
        if batch.purpose == QUESTION:
            return await self._questions.envelopes(batch, rows)
        key = TextKey(batch.alert_id, batch.purpose, batch.channel, batch.language)
        if batch.channel in SPOKEN:
            message = await self._recordings.message(key, sound)
            return [self._envelope(batch, row, message) for row in rows]
        skeleton = await self._texts.skeleton(key)
        if batch.purpose == "unit":
            return await self._to_units(batch, rows, skeleton)
        place, page = await self._region(batch.region), self._links(batch.alert_id, batch.expires_at)
        return [self._envelope(batch, row, skeleton.fill(place=place, link=page(row.ordinal))) for row in rows]

    async def _to_units(self, batch: Batch, rows: Sequence[Row], skeleton: Skeleton) -> list[Envelope]:
        names = await self._unit_names([row.unit_id for row in rows if row.unit_id is not None])
        page = self._links(batch.alert_id, batch.expires_at)
        attached = await self._documents.of(batch.alert_id) if batch.channel == Medium.EMAIL else ()
        envelopes = []
        for row in rows:
            place, role = names.get(row.unit_id or 0, ("", ""))
            message = skeleton.fill(place=place, link=page(row.ordinal), unit=role)
            if attached:
                message = msgspec.structs.replace(message, attachments=attached)
            envelopes.append(self._envelope(batch, row, message))
        return envelopes

    async def _region(self, code: str) -> str:
        if code not in self._regions:
            async with self._database.connection() as connection:
                name = await connection.fetchval("SELECT name FROM region WHERE code = $1", code)
            self._regions[code] = name or ""
        return self._regions[code]

    @staticmethod
    def _envelope(batch: Batch, row: Row, message: Message) -> Envelope:
        key = DeliveryKey(batch.alert_id, row.ordinal, batch.claims)
        return Envelope(key, row.address, message, batch.urgency, batch.expires_at)
