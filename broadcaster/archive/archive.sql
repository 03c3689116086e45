-- Statements of the archive.

-- name: candidates
-- Alerts that are over and have not left the ledger, the oldest first; those that were begun before all others.
SELECT r.alert_id FROM run r LEFT JOIN archive a ON a.alert_id = r.alert_id
WHERE r.state > 0 AND a.state IS DISTINCT FROM 'emptied' AND (a.state = 'sealed' OR r.closed_at < $1)
ORDER BY a.state NULLS LAST, r.alert_id

-- name: standing
-- Everything that may keep an alert in the ledger. Its lineage is one: an Update goes to whomever any ancestor reached.
SELECT l.state AS alert_state, r.alert_id IS NOT NULL AS issued, a.state AS archived,
       (SELECT max(o.closed_at) FROM run o WHERE o.lineage = r.lineage) AS closed_at,
       EXISTS (SELECT 1 FROM run o WHERE o.lineage = r.lineage AND o.state = 0) AS lineage_open,
       EXISTS (SELECT 1 FROM batch b WHERE b.alert_id = l.id AND b.state <> 2) AS sending,
       EXISTS (SELECT 1 FROM unit u WHERE u.alert_id = l.id AND u.state = 'waiting') AS unit_waiting,
       EXISTS (SELECT 1 FROM door_task d WHERE d.alert_id = l.id AND d.state = 'open') AS door_open,
       EXISTS (SELECT 1 FROM help_request h WHERE h.alert_id = l.id AND h.state = 'open') AS help_open,
       EXISTS (SELECT 1 FROM response s WHERE s.alert_id = l.id AND s.settled_at IS NULL) AS reply_unsettled
FROM alert l LEFT JOIN run r ON r.alert_id = l.id LEFT JOIN archive a ON a.alert_id = l.id
WHERE l.id = $1

-- name: unfolded
-- Whether the log holds something about the alert that is not in its states yet.
SELECT EXISTS (SELECT 1 FROM segment s JOIN entry e ON e.segment = s.id WHERE NOT s.folded AND e.alert_id = $1)

-- name: size
-- Deliveries and households of an alert, by its counters.
SELECT coalesce((SELECT next FROM run_ordinal WHERE alert_id = $1), 0) AS deliveries,
       coalesce((SELECT sum(households) FROM chunk WHERE alert_id = $1), 0)::int AS households

-- name: counts
-- Its deliveries by channel and state.
SELECT b.channel, sum(y.queued)::int AS queued, sum(y.unknown)::int AS unknown, sum(y.expired)::int AS expired,
       sum(y.cancelled)::int AS cancelled, sum(y.submitted)::int AS submitted, sum(y.failed)::int AS failed,
       sum(y.delivered)::int AS delivered, sum(y.duplicates)::int AS duplicates
FROM batch b JOIN tally y USING (alert_id, first) WHERE b.alert_id = $1 GROUP BY b.channel ORDER BY b.channel

-- name: sealed
INSERT INTO archive (alert_id, folder, digest, rows, bytes, sealed_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: keep_counts
INSERT INTO archived_count
    (alert_id, channel, queued, unknown, expired, cancelled, submitted, failed, delivered, duplicates)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: delete_by_key
-- The next $3 rows behind key $2: where they end (NULL: there are no more), and how many of them left.
WITH slice AS MATERIALIZED (
    SELECT {key} AS key FROM {table} WHERE alert_id = $1 AND {key} > $2 ORDER BY {key} LIMIT $3
), gone AS (
    DELETE FROM {table} t USING slice s WHERE t.alert_id = $1 AND t.{key} = s.key AND {which} RETURNING 1
)
SELECT max(key)::bigint AS last, (SELECT count(*) FROM gone)::int AS gone FROM slice

-- name: delete_by_page
-- The alert's rows in pages $2 up to, but without, $3.
WITH gone AS (
    DELETE FROM {table} WHERE alert_id = $1 AND ctid >= format('(%s,0)', $2::bigint)::tid AND ctid < format('(%s,0)', $3::bigint)::tid
      AND {which}
    RETURNING 1
)
SELECT count(*)::int FROM gone

-- name: pages
SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int

-- name: forget_segments
-- Segments of the log of which nothing is left, up to $2 of them behind id $1.
WITH slice AS MATERIALIZED (
    SELECT id FROM segment WHERE id > $1 ORDER BY id LIMIT $2
), gone AS (
    DELETE FROM segment s USING slice
    WHERE s.id = slice.id AND s.folded AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.segment = s.id)
)
SELECT max(id) FROM slice

-- name: emptied
UPDATE archive SET state = 'emptied', emptied_at = $2 WHERE alert_id = $1
