"""The alert as a file that goes along with mails."""

from __future__ import annotations

from adapters import cap
from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.database import Database
from broadcaster.dispatch.documents import Documents
from tests.harness.alerts import AUTHOR, NOW, typhoon


async def test_an_alert_is_written_once_and_all_its_mails_hold_the_same_file(database: Database) -> None:
    record = await authoring.create(database, typhoon(), AUTHOR, NOW)
    documents = Documents(cap.write)
    (attached,) = await documents.of(record.id)
    assert (attached.name, attached.media_type) == ("alert.cap.xml", "application/cap+xml")
    assert cap.read(attached.content) == record.alert
    (again,) = await documents.of(record.id)
    assert again is attached


async def test_mails_go_without_a_file_where_none_can_be_written(database: Database) -> None:
    def fails(alert: Alert) -> bytes:
        raise ValueError(alert.identifier)

    record = await authoring.create(database, typhoon(), AUTHOR, NOW)
    assert await Documents(fails).of(record.id) == ()
    assert await Documents(None).of(record.id) == ()
    assert await Documents(cap.write).of(record.id + 1) == ()
