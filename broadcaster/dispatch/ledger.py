"""The ledger: claiming batches, writing down what happened, and folding it into the state of every delivery.

Writing and folding are two steps. A worker appends what gateways said to the log and commits before anyone is answered;
the fold then applies whole segments of the log in one set-based statement, one fold at a time in the whole
installation. A crash between the two loses nothing: the segment stays unfolded and the next fold takes it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from broadcaster.database import Connection, Database
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "ledger.sql")

FOLD_LOCK = 0x64616F68
"""The advisory lock that whoever changes delivery states holds ("daoh")."""

STRAYS_KEPT = timedelta(days=3)
"""How long a receipt waits for its message."""

FOLD_SEGMENTS = 40
"""Most log segments that one fold applies."""


class Event(NamedTuple):
    """One line of the log: the state that is proved for one attempt of one delivery, in the order of the table."""

    alert_id: int
    ordinal: int
    attempt: int
    state: int
    gateway_id: int | None
    ref: str | None
    reason: str | None
    at: datetime


class StrayReceipt(NamedTuple):
    """Evidence whose message is not known yet."""

    gateway_id: int
    ref: str
    state: int
    reason: str | None
    at: datetime
    stored_at: datetime


Claim = tuple[int, int, int]
"""Alert, first ordinal and number of a claim: the same batch claimed again is another claim."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A claimed batch: a contiguous range of one alert's deliveries on one channel, leased to this worker."""

    alert_id: int
    first: int
    last: int
    region: str
    channel: str
    purpose: str
    language: str
    rehearsal: bool
    urgency: int
    tier: int
    seq: int
    claims: int
    network: str
    expires_at: datetime

    @property
    def claim(self) -> Claim:
        return (self.alert_id, self.first, self.claims)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A delivery of a claimed batch that still waits to be sent; not `needed` when its household was reached
    meanwhile."""

    ordinal: int
    address: str
    unit_id: int | None
    household_id: int | None
    needed: bool


@dataclass(frozen=True, slots=True)
class Release:
    """A worker is done with a batch for now; what remains open is sent again at `not_before`. For `owed` seconds a
    gateway may still take some of it that it gave no answer about: no later alert goes there before."""

    batch: Batch
    not_before: datetime
    owed: float | None = None


async def claim(
    connection: Connection,
    *,
    channel: str,
    rehearsal: bool,
    now: datetime,
    limit: int,
    worker: str,
    lease: float,
    rows: float = math.inf,
    networks: Collection[str] | None = None,
) -> list[Batch]:
    """Lease up to `limit` of the most urgent ready batches for `lease` seconds, until together they have `rows`; those
    for `networks` alone, if any are named."""
    only = None if networks is None else list(networks)
    records = await connection.fetch(SQL["claim"], channel, rehearsal, now, limit, worker, lease, rows, only)
    batches = [Batch(**dict(record)) for record in records]
    return sorted(batches, key=lambda batch: (batch.urgency, batch.tier, batch.seq, batch.alert_id))


async def still_first(
    connection: Connection, batches: Sequence[Batch], now: datetime, networks: Collection[str] | None = None
) -> set[int]:
    """The alerts whose claimed `batches` (of one channel, in their order) may still be sent: those whose run is open;
    none when something more urgent than the first batch is ready, for `networks` if any are named."""
    alerts = list({batch.alert_id for batch in batches})
    first = batches[0]
    only = None if networks is None else list(networks)
    values = (alerts, first.channel, first.rehearsal, now, first.urgency, first.tier, only)
    return {record["alert_id"] for record in await connection.fetch(SQL["still_first"], *values)}


async def claimed_rows(connection: Connection, batches: Sequence[Batch]) -> list[list[Row]]:
    """What of each of `batches` is still to be sent, in order."""
    alerts, firsts = [batch.alert_id for batch in batches], [batch.first for batch in batches]
    found: list[list[Row]] = [[] for _ in batches]
    for place, *columns in await connection.fetch(SQL["claimed_rows"], alerts, firsts):
        found[place - 1].append(Row(*columns))
    return found


async def renew(connection: Connection, worker: str, lease: float, claims: Collection[Claim]) -> set[Claim]:
    """Keep the leases of `claims` for `lease` seconds more; returns the ones that were prolonged: neither those that
    this worker lost nor those that are just being written to."""
    columns = [list(column) for column in zip(*claims, strict=True)]
    records = await connection.fetch(SQL["renew"], worker, lease, *columns)
    return {(record["alert_id"], record["first"], record["claims"]) for record in records}


async def write(
    database: Database,
    worker: str,
    events: Sequence[Event],
    strays: Sequence[StrayReceipt] = (),
    releases: Sequence[Release] = (),
) -> None:
    """Append one segment to the log, and release batches with it, in one transaction. Durable when this returns."""
    async with database.transaction() as connection:
        segment = await connection.fetchval(SQL["append"], worker, *_entries(events), len(events))
        if strays:
            await connection.copy_records_to_table("stray_receipt", columns=StrayReceipt._fields, records=strays)
        if releases:
            given = sorted(((*one.batch.claim, one.not_before, one.owed) for one in releases), key=lambda one: one[:2])
            await connection.execute(SQL["release"], worker, segment, *map(list, zip(*given, strict=True)))


def _entries(events: Iterable[Event]) -> list[list[Any]]:
    """The log's entries for these events, column by column: what was proved at one moment lies together."""
    together: dict[tuple[Any, ...], tuple[list[int], list[str]]] = {}
    for alert_id, ordinal, attempt, state, gateway_id, ref, reason, at in events:
        proof = (alert_id, attempt, state, gateway_id, at, reason, ref is None)
        found = together.get(proof)
        if found is None:
            found = together[proof] = ([], [])
        found[0].append(ordinal)
        if ref is not None:
            found[1].append(ref)
    rows = [
        (*proof[:-1], f"{{{','.join(map(str, ordinals))}}}", _array(refs) if refs else None)
        for proof, (ordinals, refs) in together.items()
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(8)]


def _array(texts: Iterable[str]) -> str:
    """The texts as PostgreSQL writes an array."""
    joined = "\0".join(texts).replace("\\", r"\\").replace('"', r"\"")
    return '{"' + joined.replace("\0", '","') + '"}'


async def fold(database: Database, now: datetime) -> int:
    """Apply the oldest unfolded segments of the log; returns how many.

    It waits for its turn in line with whoever else changes states: merely trying the lock, it would starve beside
    planners that hold it one after the other.
    """
    async with database.connection() as connection:
        if not await connection.fetch(SQL["unfolded"], 1):
            return 0
    async with database.transaction() as connection:
        await lock_states(connection)
        return await _fold_some(connection, now)


async def fold_all(connection: Connection, now: datetime) -> None:
    """Wait for the fold lock (held until the transaction ends) and apply the whole log: states are then up to date."""
    await lock_states(connection)
    while await _fold_some(connection, now):
        pass


async def lock_states(connection: Connection) -> None:
    """Wait until this transaction alone may change delivery states; held until it ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", FOLD_LOCK)


async def _fold_some(connection: Connection, now: datetime) -> int:
    segments = [record["id"] for record in await connection.fetch(SQL["unfolded"], FOLD_SEGMENTS)]
    if segments:
        # A new alert is one row to the statistics: a plan that is not by key may read all of it for each row.
        await connection.execute(SQL["by_key_only"])
        await connection.execute(SQL["fold"], segments, now)
        await connection.execute(SQL["fold_releases"], segments)
        await connection.execute(SQL["by_any_plan"])
    return len(segments)


async def take_stock(database: Database) -> None:
    """Renew the statistics of the ledger's tables, some 0.3 s: until then the planner takes a new alert for one row."""
    async with database.connection() as connection:
        await connection.execute("ANALYZE target, delivery, batch, tally")


async def any_lapsed(database: Database) -> bool:
    """Whether a worker has fallen silent with batches in hand."""
    async with database.connection() as connection:
        lapsed: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM batch WHERE state = 1 AND lease_until < clock_timestamp())"
        )
        return lapsed


async def reclaim_lapsed(database: Database, now: datetime) -> int:
    """Make the batches of silent workers ready again, after everything they wrote is folded; returns how many."""
    async with database.transaction() as connection:
        await fold_all(connection, now)
        records = await connection.fetch(SQL["lapsed"])
        for record in records:
            await connection.execute(SQL["reclaim"], record["alert_id"], record["first"])
        return len(records)


async def withdraw(connection: Connection, alert_id: int, end: DeliveryState, now: datetime) -> None:
    """End what no gateway has taken of an alert as `end` (EXPIRED or CANCELLED). Needs `lock_states` before."""
    await connection.execute(SQL["withdraw"], alert_id, int(end), now)


async def resolve(connection: Connection, gateway_id: int, refs: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """The (alert, ordinal, attempt) that a gateway's own message ids stand for, as far as they are in the log."""
    records = await connection.fetch(SQL["resolve_refs"], gateway_id, list(refs))
    return {record["ref"]: (record["alert_id"], record["ordinal"], record["attempt"]) for record in records}


async def drills(connection: Connection, alerts: Collection[int]) -> dict[int, bool]:
    """Of each of `alerts` that was issued, whether it is a drill."""
    records = await connection.fetch(
        "SELECT alert_id, rehearsal FROM run WHERE alert_id = ANY($1::int[])", list(alerts)
    )
    return {record["alert_id"]: record["rehearsal"] for record in records}


async def adopt_strays(database: Database, worker: str, now: datetime) -> None:
    """Receipts that came before our own write find their message, now that it is in the log.

    What belongs to nobody for days (another system on the same account) is forgotten.
    """
    async with database.transaction() as connection:
        if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM stray_receipt)"):
            await connection.execute(SQL["adopt_strays"], worker)
            await connection.execute(SQL["forget_strays"], now - STRAYS_KEPT)


def storable(text: str) -> str:
    """Text from outside as the log can hold it: what one gateway says must not keep the rest from being written."""
    if len(text) <= 200 and text.isprintable():  # neither a zero nor half a surrogate pair is
        return text
    return text[:200].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
