"""Gauges: every stage of the way in numbers, for whoever watches the installation. From issue to answer, one file.

No personal data: labels are alerts' ids, channels, gateways' names, processes and table names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from broadcaster.database import Connection
from broadcaster.dispatch import lineup
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.lineup import Health
from broadcaster.sql import statements

SQL = statements("broadcaster", "gauges.sql")

MOST_ALERTS = 100
"""Open alerts that have gauges of their own, the most urgent first."""

HOT = (
    "batch",
    "chunk",
    "delivery",
    "door_task",
    "entry",
    "message_ref",
    "segment",
    "tally",
    "target",
    "unit",
    "response",
)
"""Tables whose rows that wait for vacuum are shown."""

Row = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number now."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


async def gauges(connection: Connection, now: datetime) -> list[Gauge]:
    """All of them; some ten short statements."""
    found: list[Gauge] = []
    for row in await connection.fetch(SQL["deliveries"], MOST_ALERTS):
        found += _deliveries(row, {"alert": str(row["alert_id"]), "channel": row["channel"]})
    for row in await connection.fetch(SQL["villages"], MOST_ALERTS, now):
        found += _villages(row, {"alert": str(row["alert_id"])})
    for row in await connection.fetch(SQL["units"], MOST_ALERTS, now):
        found += _units(row, {"alert": str(row["alert_id"])})
    found += _backlog(await connection.fetchrow(SQL["backlog"], now))
    for row in await connection.fetch(SQL["desk"], now):
        found += _desk(row, {"kind": row["kind"]})
    for row in await connection.fetch(SQL["slots"]):
        found += _slots(row, {"gateway": row["gateway"]})
    for gateway in await lineup.health(connection):
        found += _gateway(gateway)
    found += _processes([dict(row) for row in await connection.fetch(SQL["processes"])])
    for row in await connection.fetch(SQL["tables"], list(HOT)):
        found += _table(row, row["name"])
    found += _database(await connection.fetchrow(SQL["database"]))
    return found


def _deliveries(row: Row, labels: Mapping[str, str]) -> Iterator[Gauge]:
    for word in (state.word for state in DeliveryState):
        yield Gauge(
            "daohu_alert_deliveries", "Deliveries of an open alert by state.", row[word], {**labels, "state": word}
        )
    for state in ("ready", "leased", "released", "settled"):
        yield Gauge(
            "daohu_alert_batches",
            "Batches of an open alert: ready to be claimed, leased to a worker, released until folded, settled.",
            row[state],
            {**labels, "state": state},
        )
    yield Gauge("daohu_alert_duplicates", "Deliveries that a gateway took twice.", row["duplicates"], labels)
    yield Gauge(
        "daohu_alert_oldest_unsent_seconds",
        "Age of the oldest delivery that no gateway has taken; 0 when there is none.",
        row["oldest_unsent"],
        labels,
    )
    yield Gauge(
        "daohu_alert_oldest_undelivered_seconds",
        "Age of the oldest delivery without an end: not delivered, failed, expired or cancelled; 0 when there is none.",
        row["oldest_undelivered"],
        labels,
    )


def _villages(row: Row, labels: Mapping[str, str]) -> Iterator[Gauge]:
    yield Gauge("daohu_alert_age_seconds", "Since an open alert was issued.", row["age"], labels)
    for state in ("unplanned", "planned"):
        yield Gauge(
            "daohu_alert_villages", "Villages by whether they are planned.", row[state], {**labels, "state": state}
        )
    for state in ("reached", "pending", "unreached"):
        yield Gauge("daohu_alert_households", "Households by state.", row[state], {**labels, "state": state})
    yield Gauge(
        "daohu_alert_planning_late_seconds", "For how long the visit of a village has been due.", row["late"], labels
    )


def _units(row: Row, labels: Mapping[str, str]) -> Iterator[Gauge]:
    for state in ("waiting", "acknowledged", "exhausted"):
        yield Gauge("daohu_alert_units", "Units by state.", row[state], {**labels, "state": state})
    yield Gauge("daohu_alert_units_escalated", "Units beyond their first notification.", row["escalated"], labels)
    yield Gauge(
        "daohu_alert_escalation_late_seconds", "For how long a step of escalation has been due.", row["late"], labels
    )


def _backlog(row: Row) -> Iterator[Gauge]:
    yield Gauge("daohu_log_unfolded_rows", "Lines of the log that are not in the states yet.", row["log_rows"])
    yield Gauge("daohu_log_unfolded_seconds", "Age of the oldest line that is not folded.", row["log_age"])
    yield Gauge("daohu_stray_receipts", "Receipts whose message is not known (counted to 100000).", row["strays"])
    yield Gauge("daohu_responses_unsettled", "Answers that are stored and not understood yet.", row["answers"])
    yield Gauge("daohu_responses_unsettled_seconds", "Age of the oldest of them.", row["answers_age"])


def _desk(row: Row, labels: Mapping[str, str]) -> Iterator[Gauge]:
    yield Gauge("daohu_duty_notices", "What the duty desk has to do, by kind.", row["open"], labels)
    yield Gauge("daohu_duty_notice_oldest_seconds", "Age of the oldest of them.", row["age"], labels)


def _slots(row: Row, labels: Mapping[str, str]) -> Iterator[Gauge]:
    yield Gauge("daohu_gateway_slots", "Connections that a gateway may have.", row["slots"], labels)
    yield Gauge("daohu_gateway_slots_held", "Connections that a worker holds.", row["held"], labels)


def _gateway(gateway: Health) -> Iterator[Gauge]:
    labels = {"gateway": gateway.name}
    yield Gauge("daohu_gateway_up", "Whether a gateway does its work, as the workers see it.", gateway.up, labels)
    for state, slots in gateway.states.items():
        yield Gauge(
            "daohu_gateway_breakers",
            "Connections by what their couriers make of the gateway: closed (in use), probing, open (paused).",
            slots,
            {**labels, "state": state},
        )


def _processes(rows: list[dict[str, object]]) -> Iterator[Gauge]:
    for kind in ("worker", "serve"):
        alive = sum(row["kind"] == kind for row in rows)
        yield Gauge("daohu_processes", "Processes that gave a sign of life in the last minute.", alive, {"kind": kind})
    for row in rows:
        labels = {"process": str(row["name"]), "kind": str(row["kind"])}
        own = {name: row[name] for name in ("silent", "up", "knows")}
        figures = msgspec.json.decode(str(row["figures"]), type=dict[str, float])
        for name, value in {**msgspec.convert(own, dict[str, float]), **figures}.items():
            if name in _PROCESS:  # a newer process may tell more than we have words for
                yield Gauge(*_PROCESS[name], value, labels)


_PROCESS = {
    "silent": ("daohu_process_silent_seconds", "Since a process gave a sign of life."),
    "up": ("daohu_process_up_seconds", "Since a process started."),
    "knows": ("daohu_process_schema_version", "The schema version that a process knows."),
    "recorder_buffered": ("daohu_process_recorder_buffered", "Results in memory that wait to be written."),
    "batches_held": ("daohu_process_batches_held", "Batches that a worker has leased."),
    "couriers": ("daohu_process_couriers", "Couriers at work, one per connection."),
    "couriers_connected": ("daohu_process_couriers_connected", "Couriers whose connection stands."),
    "pool_size": ("daohu_process_pool_connections", "Connections to the database."),
    "pool_idle": ("daohu_process_pool_idle", "Connections to the database that nobody uses."),
    "pool_max": ("daohu_process_pool_max", "Connections to the database that a process may have."),
}


def _table(row: Row, name: str) -> Iterator[Gauge]:
    yield Gauge("daohu_table_live_rows", "Rows of a table, estimated.", row["live"], {"table": name})
    yield Gauge("daohu_table_dead_rows", "Rows that wait for vacuum, estimated.", row["dead"], {"table": name})


def _database(row: Row) -> Iterator[Gauge]:
    yield Gauge("daohu_schema_version", "The schema's version.", row["version"])
    yield Gauge("daohu_schema_needs", "The version that a program must know at least.", row["needs"])
    yield Gauge("daohu_database_bytes", "Size of the database.", row["bytes"])
    yield Gauge("daohu_archived_alerts", "Alerts whose rows lie in the archive.", row["archived"])
    yield Gauge(
        "daohu_database_oldest_transaction_seconds",
        "For how long the oldest transaction has been open; it keeps vacuum from cleaning up.",
        row["oldest_transaction"],
    )
