"""The alert itself, as the document that goes along with the mails to people on duty: written once for each alert.

Households get the words and a link. A file of XML tells them nothing, and it would make a district's mails several
times as large and look like what their servers throw away; an office that is on duty may feed it to a system of its
own.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.errors import DaohuError
from broadcaster.ports import Attachment
from broadcaster.recent import Recent

NAME, MEDIA_TYPE = "alert.cap.xml", "application/cap+xml"

Write = Callable[[Alert], bytes]
"""An alert as CAP 1.2 XML, as the adapter writes it."""

log = structlog.get_logger()


class Documents:
    """Writes documents when they are first needed; None writes none."""

    def __init__(self, write: Write | None) -> None:
        self._write = write
        self._known: Recent[int, tuple[Attachment, ...]] = Recent(most=100)

    async def of(self, alert_id: int) -> tuple[Attachment, ...]:
        """What goes along with the alert's mails: the same object each time. Nothing where none can be written: the
        words are what counts."""
        if self._write is None:
            return ()
        found = self._known.get(alert_id)
        if found is None:
            found = self._known[alert_id] = await self._written(self._write, alert_id)
        return found

    @staticmethod
    async def _written(write: Write, alert_id: int) -> tuple[Attachment, ...]:
        try:
            record = await authoring.load(alert_id)
            return (Attachment(NAME, MEDIA_TYPE, write(record.alert)),)
        except (DaohuError, ValueError) as problem:
            log.warning("document.not_written", alert=alert_id, why=type(problem).__name__)
            return ()
