"""The judge: after all is settled, what the carriers really got is held against what the ledger says."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broadcaster.conservation import breaches
from broadcaster.database import Connection
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState, RunState, TargetState
from broadcaster.rehearsal.oracle import Report
from tests.crash.verdict import Verdict
from tests.harness.outpost import Outpost

IN_FLIGHT = 1.0
"""Seconds from a message's arrival at the carrier until its answer is written down, at the most: the answer (0.1), the
flush (0.2), the commit on a slow disk."""

UNREAD = 1.0
"""Seconds, beyond what the sender leaves for the wire, that a message may lie in the carrier's socket: on a busy
machine nobody reads it sooner."""

Key = tuple[int, int]
"""Alert and ordinal of a delivery."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An alert that went out in a run: what it replaced, and whether it is the last word to the whole district."""

    alert_id: int
    predecessor: int | None
    expires: datetime | None
    final: bool


@dataclass(frozen=True, slots=True)
class Strikes:
    """What was done to the installation: when (Unix seconds), and how many processes it cost."""

    moments: tuple[float, ...]
    kills: int


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as the ledger has it; `run`, `target` and `unit` are the states of what it belongs to."""

    alert_id: int
    ordinal: int
    state: int
    attempts: int
    run: int
    target: int | None
    unit: str | None

    @property
    def key(self) -> Key:
        return self.alert_id, self.ordinal


async def judge(
    post: Outpost, fault: str, issues: Sequence[Issue], strikes: Strikes, began: float, *, schedule: str = ""
) -> Verdict:
    """Read the carriers' books first, for late receipts may still come, then fold and read the ledger. What proves that
    something was delivered is looked up in the books as they are by then."""
    whole = post.rehearsal.report()
    while await ledger.fold(post.house.database, post.house.clock.now()):
        pass
    alerts = {issue.alert_id for issue in issues}
    report = replace(
        whole,
        taken=[one for one in whole.taken if one.alert in alerts],
        cuts=[cut for cut in whole.cuts if cut.at >= began],
    )
    async with post.house.database.connection() as connection:
        rows = await _rows(connection, alerts)
        proved = post.rehearsal.report().delivered
        replies = await _reply_ids(connection)
        acknowledged = {one for one, at in whole.acknowledged_replies.items() if at >= began} | post.handed_in
        return Verdict(
            fault=fault,
            schedule=schedule,
            strikes=len(strikes.moments),
            midst=_midst(report, strikes.moments),
            kills=strikes.kills,
            sent=report.accepted,
            lost=(
                *_lost(rows, replace(report, delivered=proved), issues),
                *[place for one in issues for place in await _passed_over(connection, one)],
            ),
            twice=report.duplicates,
            repeated=_repeated(report, {one.ref for one in report.taken}),
            provable=_repeated(report, report.acknowledged_receipts),
            counted=await _counted(connection, alerts),
            bound=report.in_flight_at_cuts(IN_FLIGHT),
            overtakings=tuple(report.overtakings({one.alert_id: one.predecessor for one in issues if one.predecessor})),
            late=tuple(_late(report)),
            replies=len(acknowledged),
            replies_lost=tuple(sorted(acknowledged - replies)),
            receipts_lost=tuple(_receipts_lost(rows, report)),
            rates=tuple(
                _too_fast(replace(whole, taken=[one for one in whole.taken if one.at >= began - 1]), post.limits)
            ),
            breaches=tuple([breach for alert in sorted(alerts) for breach in await breaches(connection, alert)]),
        )


async def _rows(connection: Connection, alerts: Iterable[int]) -> dict[Key, Row]:
    records = await connection.fetch(
        """
        SELECT d.alert_id, d.ordinal, d.state, d.attempts, r.state AS run, t.state AS target, u.state AS unit
        FROM delivery d JOIN run r ON r.alert_id = d.alert_id
        LEFT JOIN target t ON t.alert_id = d.alert_id AND t.household_id = d.household_id
        LEFT JOIN unit u ON u.id = d.unit_id
        WHERE d.alert_id = ANY($1::int[])
        """,
        list(alerts),
    )
    return {row.key: row for row in (Row(**record) for record in records)}


def _lost(rows: Mapping[Key, Row], report: Report, issues: Iterable[Issue]) -> list[str]:
    """Deliveries without an end, or with one that what happened does not bear out."""
    taken = {(one.alert, one.ordinal) for one in report.taken}
    refused = {(alert, ordinal) for alert, ordinal, *_ in report.refused}
    proved = {(one.alert, one.ordinal) for one in report.taken if one.ref in report.delivered}
    over = {issue.alert_id for issue in issues if issue.expires and issue.expires.timestamp() <= time.time()}
    found = [f"{key} was taken and counts as never tried" for key in taken if key not in rows or not rows[key].attempts]
    for key, row in rows.items():
        match row.state:
            case DeliveryState.QUEUED | DeliveryState.UNKNOWN:
                problem = "has no end"
            case DeliveryState.SUBMITTED:
                problem = "" if key in taken else "counts as submitted and was never taken"
            case DeliveryState.DELIVERED:
                problem = "" if key in proved else "counts as delivered without evidence"
            case DeliveryState.FAILED:
                problem = "" if key in taken or key in refused else "counts as failed and was never tried"
            case DeliveryState.EXPIRED:
                problem = "" if row.alert_id in over and row.run == RunState.EXPIRED else "expired before its time"
            case _:
                problem = "" if _needless(row) else "was cancelled, and still needed"
        if problem:
            found.append(f"{key} {problem}")
    return found


def _needless(row: Row) -> bool:
    """Whether a message need not go out: its alert is over, its household was reached, its unit has answered."""
    closed = row.run in {RunState.SUPERSEDED, RunState.ENDED}
    return closed or row.target == TargetState.REACHED or row.unit in {"acknowledged", "cancelled"}


async def _passed_over(connection: Connection, issue: Issue) -> list[str]:
    """Households in the last word's audience that the ledger does not know, or that have addresses and no message."""
    if not issue.final:
        return []
    records = await connection.fetch(
        """
        SELECT h.id FROM household h LEFT JOIN target t ON t.alert_id = $1 AND t.household_id = h.id
        WHERE h.active AND (t.household_id IS NULL OR (
            EXISTS (SELECT 1 FROM contact c
                    WHERE c.household_id = h.id AND c.active AND c.medium IN ('phone', 'wechat'))
            AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.alert_id = $1 AND d.household_id = h.id)))
        """,
        issue.alert_id,
    )
    return [f"household {record['id']} was passed over by alert {issue.alert_id}" for record in records]


async def _reply_ids(connection: Connection) -> set[str]:
    return {record["external_id"] for record in await connection.fetch("SELECT external_id FROM response")}


async def _counted(connection: Connection, alerts: Iterable[int]) -> int:
    total: int = await connection.fetchval(
        "SELECT coalesce(sum(duplicates), 0)::int FROM tally WHERE alert_id = ANY($1::int[])", list(alerts)
    )
    return total


def _repeated(report: Report, refs: set[str]) -> int:
    """Deliveries of which more than one attempt is among the messages `refs`."""
    attempts: defaultdict[Key, set[int]] = defaultdict(set)
    for one in report.taken:
        if one.ref in refs:
            attempts[one.alert, one.ordinal].add(one.attempt)
    return sum(len(numbers) > 1 for numbers in attempts.values())


def _receipts_lost(rows: Mapping[Key, Row], report: Report) -> list[str]:
    """Evidence that was acknowledged and that the ledger does not show."""
    found = []
    for one in report.taken:
        if one.ref in report.acknowledged_receipts:
            proves = DeliveryState.DELIVERED if one.ref in report.delivered else DeliveryState.FAILED
            row = rows.get((one.alert, one.ordinal))
            if row is None or row.state < proves:
                found.append(f"{one.ref} about {(one.alert, one.ordinal)}")
    return found


def _late(report: Report) -> list[str]:
    return [f"{one.ref}: {one.at - one.expires:.3f} s" for one in report.taken if one.at > one.expires + UNREAD]


def _too_fast(report: Report, limits: Mapping[str, float]) -> list[str]:
    peaks = report.peak_rates()
    return [f"{name}: {peak} in a second" for name, peak in sorted(peaks.items()) if peak > limits[name]]


def _midst(report: Report, moments: Iterable[float]) -> int:
    """Strikes beside which, within a second, a carrier took something."""
    times = [one.at for one in report.taken]
    return sum(any(abs(at - moment) < 1.0 for at in times) for moment in moments)
