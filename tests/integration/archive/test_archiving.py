"""What is over leaves the ledger whole: every row is in the files, every figure still where it is read."""

from __future__ import annotations

import asyncio
import contextvars
import csv
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.archive import emptying, writing
from broadcaster.archive.archivist import Archived, Archivist
from broadcaster.archive.manifest import Manifest
from broadcaster.archive.standing import Kept, Reason
from broadcaster.archive.tables import OWN, TABLES
from broadcaster.clock import ManualClock
from broadcaster.conservation import breaches
from broadcaster.database import Connection, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event
from broadcaster.errors import ConflictError, NotFoundError, UnavailableError
from broadcaster.progress import progress
from broadcaster.security import audit
from tests.harness.district import District
from tests.harness.past import past_alert

LEFT = ("delivery", "entry", "message_ref", "batch", "tally")


async def no_rest(_seconds: float) -> None:
    pass


SEALED = len(TABLES) + 5
"""Statements after which an archive is sealed, and the first row has not left the ledger."""


@pytest.fixture
async def over(database: Database, clock: ManualClock) -> datetime:
    """Alert 1, two months over; when it ended."""
    then = clock.now() - timedelta(days=60)
    async with database.connection() as connection:
        await past_alert(connection, 1, then)
    return then


@pytest.fixture
def archivist(database: Database, clock: ManualClock, tmp_path: Path) -> Archivist:
    return Archivist(database, clock, tmp_path / "archive", no_rest)


def a_month_ago(clock: ManualClock) -> datetime:
    return clock.now() - timedelta(days=30)


async def rows(database: Database, table: str, alert_id: int = 1) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE alert_id = $1", alert_id))


async def test_the_list_of_tables_is_that_of_the_schema(database: Database) -> None:
    async with database.connection() as connection:
        found = await connection.fetch(
            """
            SELECT table_name FROM information_schema.columns
            WHERE table_schema = current_schema() AND column_name = 'alert_id'
            """
        )
    assert {row["table_name"] for row in found} | {"alert"} == {table.name for table in TABLES} | OWN


async def test_the_rows_leave_and_the_figures_stay(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    async with database.connection() as connection:
        before = await progress(connection, 1)
    done = await archivist.archive(1, a_month_ago(clock))
    assert isinstance(done, Archived)
    async with database.connection() as connection:
        after = await progress(connection, 1)
        assert await breaches(connection, 1) == []
        assert await connection.fetchval("SELECT count(*) FROM segment") == 0
        assert {row["state"] for row in await connection.fetch("SELECT state FROM target")} == {2}
    assert after.archived_at == clock.now()
    assert replace(after, archived_at=None) == before
    assert [await rows(database, table) for table in LEFT] == [0] * len(LEFT)
    assert await rows(database, "target") == before.households.unreached == 100
    assert await rows(database, "door_task") == 100


async def test_the_files_hold_every_row_and_the_manifest_proves_it(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime, tmp_path: Path
) -> None:
    async with database.connection() as connection:
        stored = await connection.fetch("SELECT ordinal, state, address FROM delivery ORDER BY ordinal")
        reached = await connection.fetchval("SELECT count(*) FROM target")
    await archivist.archive(1, a_month_ago(clock))
    folder = tmp_path / "archive" / "alert-1"
    with gzip.open(folder / "delivery.csv.gz", "rt", encoding="utf-8") as file:
        written = [(int(row["ordinal"]), int(row["state"]), row["address"]) for row in csv.DictReader(file)]
    assert written == [tuple(row) for row in stored]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    counted = {file["table"]: file["rows"] for file in manifest["files"]}
    assert [counted[table] for table in ("delivery", "message_ref", "entry", "target", "alert")] == [
        1000,
        1000,
        4,
        reached,
        1,
    ]
    assert {path.name for path in folder.iterdir()} == {"manifest.json"} | {file["name"] for file in manifest["files"]}
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


async def test_the_audit_knows_the_manifest(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    await archivist.archive(1, a_month_ago(clock))
    async with database.connection() as connection:
        entries = await audit.of_alert(connection, 1)
        digest = await connection.fetchval("SELECT digest FROM archive")
        assert (await audit.verify(connection)).broken is None
    assert [entry.action for entry in entries] == ["alert.archive"]
    assert json.loads(entries[0].detail)["manifest"] == digest


async def test_a_live_alert_beside_it_keeps_every_row_and_its_log(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    district = District(database, clock)
    await district.village(1, 300)
    await district.issue(2)
    await district.advance()
    await district.settle((await district.claim("wechat"))[:1], DeliveryState.DELIVERED)
    before = [await rows(database, table, 2) for table in (*LEFT, "target")]
    await archivist.archive(1, a_month_ago(clock))
    assert [await rows(database, table, 2) for table in (*LEFT, "target")] == before
    assert before[1] > 0
    assert await district.breaches(2) == []


HINDRANCES = {
    Reason.IN_FORCE: "UPDATE alert SET state = 'issued'",
    Reason.LINEAGE_OPEN: """INSERT INTO run (alert_id, lineage, rehearsal, urgency, state, opened_at, expires_at)
                            VALUES (2, 1, true, 0, 0, now(), now())""",
    Reason.TOO_YOUNG: "UPDATE run SET closed_at = closed_at + interval '40 days'",
    Reason.SENDING: "UPDATE batch SET state = 1 WHERE first = 0",
    Reason.UNIT_WAITING: "INSERT INTO unit (alert_id, region, role) VALUES (1, '330212001001', 'village_head')",
    Reason.DOOR_OPEN: "UPDATE door_task SET state = 'open' WHERE household_id = 10",
    Reason.HELP_OPEN: "INSERT INTO help_request (alert_id, response_id, text, created_at) VALUES (1, 1, '救命', now())",
    Reason.REPLY_UNSETTLED: """INSERT INTO response (gateway, external_id, channel, rehearsal, address, text, alert_id,
                               received_at, stored_at) VALUES ('g', '1', 'sms', true, 'a', '1', 1, now(), now())""",
    Reason.UNFOLDED: "UPDATE segment SET folded = false WHERE id = (SELECT min(id) FROM segment)",
    Reason.UNBALANCED: "UPDATE tally SET delivered = delivered - 1 WHERE first = 0",
    Reason.NEVER_ISSUED: "DELETE FROM run",
}


@pytest.mark.parametrize("reason", HINDRANCES)
async def test_what_is_not_over_in_every_way_stays(
    reason: Reason, database: Database, clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    async with database.connection() as connection:
        await connection.execute(HINDRANCES[reason])
    found = await archivist.archive(1, a_month_ago(clock))
    assert isinstance(found, Kept)
    assert reason in found.reasons
    assert [await rows(database, table) for table in LEFT] == [1000, 4, 1000, 2, 2]
    assert await rows(database, "archive") == 0


async def test_what_is_archived_is_not_archived_again_and_what_is_not_known_is_refused(
    clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    assert await archivist.candidates(a_month_ago(clock)) == [1]
    await archivist.archive(1, a_month_ago(clock))
    assert await archivist.candidates(a_month_ago(clock)) == []
    assert await archivist.archive(1, a_month_ago(clock)) == Kept((Reason.ARCHIVED,))
    with pytest.raises(NotFoundError):
        await archivist.archive(99, a_month_ago(clock))


async def test_two_archivists_do_not_work_at_once(database: Database, archivist: Archivist) -> None:
    async with archivist.alone():
        with pytest.raises(ConflictError):
            async with archivist.alone():
                pass
    async with archivist.alone():
        pass


async def test_a_receipt_that_comes_while_it_is_written_keeps_it_in_the_ledger(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = writing.write

    async def slow(*values: object) -> Manifest:
        manifest = await write(*values)  # type: ignore[arg-type]
        late = Event(1, 0, 2, int(DeliveryState.DELIVERED), 1, None, None, clock.now())
        await ledger.write(database, "w", [late])
        await ledger.fold(database, clock.now())
        return manifest

    monkeypatch.setattr(writing, "write", slow)
    found = await archivist.archive(1, a_month_ago(clock))
    assert found == Kept((Reason.UNFOLDED,))
    assert await rows(database, "delivery") == 1000
    monkeypatch.setattr(writing, "write", write)
    assert isinstance(await archivist.archive(1, a_month_ago(clock)), Archived)
    async with database.connection() as connection:
        assert (await progress(connection, 1)).deliveries["delivered"] == 901


async def test_a_receipt_that_comes_afterwards_hurts_nothing(
    database: Database, clock: ManualClock, archivist: Archivist, over: datetime
) -> None:
    await archivist.archive(1, a_month_ago(clock))
    await ledger.write(database, "w", [Event(1, 0, 1, int(DeliveryState.DELIVERED), 1, None, None, clock.now())])
    assert await ledger.fold(database, clock.now()) == 1
    async with database.connection() as connection:
        assert await breaches(connection, 1) == []


@pytest.mark.parametrize("harm", ["cut", "gone", "forged"])
async def test_nothing_is_deleted_on_the_word_of_a_damaged_file(
    harm: str, database: Database, clock: ManualClock, over: datetime, tmp_path: Path
) -> None:
    archivist = Archivist(Fragile(database, SEALED), clock, tmp_path / "archive", no_rest)
    with pytest.raises(Killed):
        await archivist.archive(1, a_month_ago(clock))
    folder = tmp_path / "archive" / "alert-1"
    assert await rows(database, "archive") == 1
    if harm == "gone":
        folder.rename(tmp_path / "elsewhere")
    elif harm == "cut":
        content = (folder / "delivery.csv.gz").read_bytes()
        (folder / "delivery.csv.gz").write_bytes(content[:-9])
    else:
        manifest = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(manifest.replace("330212_1", "330212_2"))
    with pytest.raises(UnavailableError) as caught:
        await Archivist(database, clock, tmp_path / "archive", no_rest).archive(1, a_month_ago(clock))
    assert caught.value.remedy
    assert await rows(database, "delivery") == 1000


async def test_a_disk_that_refuses_leaves_everything_where_it_is(
    database: Database, clock: ManualClock, over: datetime, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_text("a file where a folder should be")
    with pytest.raises(UnavailableError) as caught:
        await Archivist(database, clock, tmp_path / "archive", no_rest).archive(1, a_month_ago(clock))
    assert caught.value.remedy
    assert await rows(database, "delivery") == 1000


async def test_cut_off_at_any_moment_nothing_is_lost_and_the_next_run_goes_on(
    database: Database, clock: ManualClock, over: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt comes one conversation with the database further than the one before, up to the seal and again from
    there on."""
    monkeypatch.setattr(emptying, "SLICE", 150)
    monkeypatch.setattr(emptying, "PAGES", 3)
    async with database.connection() as connection:
        before = await progress(connection, 1)
    kills = {0: 0, 1: 0}  # before the seal, and after it
    found: Archived | Kept | None = None
    while found is None:
        sealed = await rows(database, "archive")
        archivist = Archivist(Fragile(database, kills[sealed] + 1), clock, tmp_path / "archive", no_rest)
        try:
            found = await archivist.archive(1, a_month_ago(clock))
        except Killed:
            kills[sealed] += 1
        await nothing_is_lost(database, tmp_path / "archive")
    assert min(kills.values()) > 10
    assert [await rows(database, table) for table in LEFT] == [0] * len(LEFT)
    async with database.connection() as connection:
        assert replace(await progress(connection, 1), archived_at=None) == before
        assert await breaches(connection, 1) == []
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == ["alert-1"]


async def test_emptying_waits_for_nobody_and_nobody_for_it(
    database: Database, clock: ManualClock, over: datetime, tmp_path: Path
) -> None:
    """While a worker holds the lock on states and rows of a live alert in every table, and a report reads them all."""
    district = District(database, clock)
    await district.village(1, 300)
    await district.issue(2)
    await district.advance()
    with pytest.raises(Killed):
        await Archivist(Fragile(database, SEALED), clock, tmp_path / "archive", no_rest).archive(1, a_month_ago(clock))
    assert await rows(database, "archive") == 1
    async with database.transaction() as connection:
        await ledger.lock_states(connection)
        for table in ("delivery", "batch", "tally", "target"):
            await connection.execute(f"SELECT * FROM {table} WHERE alert_id = 2 FOR UPDATE")
            await connection.execute(f"SELECT count(*) FROM {table}")
        async with asyncio.timeout(60):
            work = asyncio.create_task(finish(database, clock, tmp_path), context=contextvars.Context())
            assert isinstance(await work, Archived)
    assert await rows(database, "delivery") == 0


async def finish(database: Database, clock: ManualClock, tmp_path: Path) -> Archived | Kept:
    with database._context:
        archivist = Archivist(database, clock, tmp_path / "archive", no_rest)
        done = await archivist.archive(1, a_month_ago(clock))
        await archivist.vacuum()
    return done


async def nothing_is_lost(database: Database, folder: Path) -> None:
    """Every delivery is in the ledger, or in files that the ledger vouches for."""
    async with database.connection() as connection:
        sealed = await connection.fetchval("SELECT count(*) FROM archive")
        left = {row["ordinal"] for row in await connection.fetch("SELECT ordinal FROM delivery WHERE alert_id = 1")}
        assert await breaches(connection, 1) == []
    if sealed:
        with gzip.open(folder / "alert-1" / "delivery.csv.gz", "rt", encoding="utf-8") as file:
            left |= {int(row["ordinal"]) for row in csv.DictReader(file)}
    assert left == set(range(1000))


class Killed(BaseException):
    """The process is gone."""


class Fragile(Database):
    """A database to which this process can speak so many times; then it is killed, in turn before and after what it
    asked for was done."""

    def __init__(self, database: Database, times: int) -> None:
        super().__init__(database._context)
        self._left = times
        self._done_first = times % 2 == 0

    def _spend(self) -> bool:
        self._left -= 1
        return self._left <= 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        if self._spend():
            raise Killed
        async with super().connection() as raw:
            yield raw

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        last = self._spend()
        if last and not self._done_first:
            raise Killed
        async with super().transaction() as raw:
            yield raw
        if last:
            raise Killed
