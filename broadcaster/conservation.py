"""Conservation: nothing may appear or vanish. The counts that pages show are compared with the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.database import Connection


@dataclass(frozen=True, slots=True)
class Breach:
    """One sum that does not hold for one alert."""

    alert_id: int
    what: str
    counted: int
    actual: int


QUERIES = {
    "deliveries planned = sum over batches": """
        SELECT o.alert_id, o.next AS counted,
               coalesce((SELECT sum(queued + unknown + expired + cancelled + submitted + failed + delivered)
                         FROM tally y WHERE y.alert_id = o.alert_id), 0)::int AS actual
        FROM run_ordinal o WHERE o.alert_id = $1
    """,
    "deliveries by state, as counted = as stored": """
        SELECT $1::int AS alert_id, c.counted, coalesce(d.actual, 0)::int AS actual
        FROM (
            SELECT s.state, s.counted FROM (
                SELECT sum(queued)::int AS q, sum(unknown)::int AS u, sum(expired)::int AS e, sum(cancelled)::int AS c,
                       sum(submitted)::int AS s, sum(failed)::int AS f, sum(delivered)::int AS d
                FROM tally WHERE alert_id = $1
            ) t, LATERAL (VALUES (0, t.q), (1, t.u), (2, t.e), (3, t.c), (4, t.s), (5, t.f), (6, t.d)) AS s(state,
            counted)
            WHERE s.counted IS NOT NULL
        ) c
        LEFT JOIN (SELECT state, count(*) AS actual FROM delivery WHERE alert_id = $1 GROUP BY state) d USING (state)
    """,
    "households in audience = reached + pending + unreached": """
        SELECT $1::int AS alert_id, s.counted, s.actual
        FROM (
            SELECT (SELECT coalesce(sum(households), 0)::int FROM chunk WHERE alert_id = $1) AS total,
                   (SELECT coalesce(sum(reached), 0)::int FROM chunk WHERE alert_id = $1) AS reached,
                   (SELECT coalesce(sum(unreached), 0)::int FROM chunk WHERE alert_id = $1) AS unreached
        ) k, (
            SELECT count(*)::int AS total, (count(*) FILTER (WHERE state = 1))::int AS reached,
                   (count(*) FILTER (WHERE state = 2))::int AS unreached
            FROM target WHERE alert_id = $1
        ) t, LATERAL (VALUES (k.total, t.total), (k.reached, t.reached), (k.unreached, t.unreached)) AS s(counted,
        actual)
    """,
}

ARCHIVED = {
    "deliveries planned = sum over channels in the archive": """
        SELECT o.alert_id, o.next AS counted,
               coalesce((SELECT sum(queued + unknown + expired + cancelled + submitted + failed + delivered)
                         FROM archived_count c WHERE c.alert_id = o.alert_id), 0)::int AS actual
        FROM run_ordinal o WHERE o.alert_id = $1
    """,
    "households not reached, as counted = as stored": """
        SELECT $1::int AS alert_id, s.counted, s.actual
        FROM (
            SELECT coalesce(sum(unreached), 0)::int AS unreached,
                   coalesce(sum(households - reached - unreached), 0)::int AS pending
            FROM chunk WHERE alert_id = $1
        ) k, (
            SELECT (count(*) FILTER (WHERE state = 2))::int AS unreached,
                   (count(*) FILTER (WHERE state = 0))::int AS pending
            FROM target WHERE alert_id = $1
        ) t, LATERAL (VALUES (k.unreached, t.unreached), (k.pending, t.pending)) AS s(counted, actual)
    """,
}
"""What can still be compared once an alert's rows lie in the archive; the files prove themselves by their digests."""


async def breaches(connection: Connection, alert_id: int) -> list[Breach]:
    """Every sum that does not hold for `alert_id`; reads all its rows, so it belongs to `doctor`, `status` and
    tests."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        archived = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM archive WHERE alert_id = $1)", alert_id)
        return [
            Breach(alert_id, what, record["counted"], record["actual"])
            for what, query in (ARCHIVED if archived else QUERIES).items()
            for record in await connection.fetch(query, alert_id)
            if record["counted"] != record["actual"]
        ]
