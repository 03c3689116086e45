"""Alerts that are over, made by statements: with rows in every table, as a worker would have left them."""

from __future__ import annotations

from datetime import datetime

from broadcaster.database import Connection

# of each statement: the alert's id, when it was over, and how many deliveries it had
_GIVEN = "WITH given AS (SELECT $1::int AS id, $2::timestamptz AS at, $3::int AS many) "

_ROWS = (
    """
    INSERT INTO alert (id, identifier, sender, lineage, state, kind, status, msg_type, hazard, colour, headline,
                       document, created_by, created_at, updated_at, sent_at, issued_at, expires_at, ended_at, version)
    SELECT id, '330212_' || id, 'daohu', '330212_' || id, 'ended', 'warning', 'Exercise', 'Alert', 'typhoon', 'red',
           '台风', '{}', 'zhang', began, at, began, began, at, at, 5
    FROM given, LATERAL (SELECT at - interval '6 hours') AS b(began)
    """,
    """
    INSERT INTO run (alert_id, lineage, rehearsal, urgency, state, opened_at, expires_at, closed_at)
    SELECT id, id, true, 0, 2, at - interval '6 hours', at, at FROM given
    """,
    "INSERT INTO run_ordinal (alert_id, next) SELECT id, many FROM given",
    """
    INSERT INTO chunk (alert_id, region, rank, expected, state, next_at, households, reached, unreached)
    SELECT id, '330212001001', 1, many, 2, at, many, many * 9 / 10, many / 10 FROM given
    """,
    """
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, step, rehearsal, urgency,
                       tier, seq, state, not_before)
    SELECT id, n, n + 499, id, '330212001001', 'sms', 'public', 'zh-CN', 0, true, 0, 3, 1, 2, at
    FROM given, generate_series(0, many - 1, 500) n
    """,
    """
    INSERT INTO tally (alert_id, first, queued, failed, delivered)
    SELECT id, n, 0, 50, 450 FROM given, generate_series(0, many - 1, 500) n
    """,
    """
    INSERT INTO delivery (alert_id, ordinal, batch, state, attempts, proved, household_id, address, settled_at)
    SELECT id, n, n / 500 * 500, CASE WHEN n % 10 = 0 THEN 5 ELSE 6 END, 1, 1, n, '+86138' || n, at
    FROM given, generate_series(0, many - 1) n
    """,
    """
    INSERT INTO target (alert_id, household_id, village, region, risk, state, step)
    SELECT id, n, '330212001001', '330212001001001', 100, CASE WHEN n % 10 = 0 THEN 2 ELSE 1 END, 1
    FROM given, generate_series(0, many - 1) n
    """,
    """
    INSERT INTO door_task (alert_id, household_id, region, reason, state, created_at, closed_at)
    SELECT id, n, '330212001001001', 'all_failed', 'cancelled', at, at FROM given, generate_series(0, many - 1, 10) n
    """,
    """
    , opened AS (
        INSERT INTO segment (worker, rows, folded)
        SELECT 'w', 500, true FROM given, generate_series(1, many / 500) RETURNING id AS segment
    ), numbered AS (SELECT segment, (row_number() OVER (ORDER BY segment) - 1) * 500 AS first FROM opened)
    INSERT INTO entry (segment, alert_id, attempt, state, gateway_id, at, ordinals)
    SELECT segment, id, 1, state, 1, at, array_agg((first + n)::int)
    FROM given, numbered, generate_series(0, 499) n, LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 5 ELSE 6 END) s(state)
    GROUP BY segment, id, state, at
    """,
    """
    INSERT INTO message_ref (gateway_id, ref, alert_id, ordinal, attempt)
    SELECT 1, id || '-' || n, id, n, 1 FROM given, generate_series(0, many - 1) n
    """,
)


async def past_alert(connection: Connection, alert_id: int, over: datetime, *, deliveries: int = 1000) -> None:
    """An alert that ended at `over`: of ten households nine were reached, the tenth was not. `deliveries` is a multiple
    of 500."""
    for statement in _ROWS:
        await connection.execute(_GIVEN + statement, alert_id, over, deliveries)
