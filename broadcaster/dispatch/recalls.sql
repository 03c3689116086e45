-- Statements of recalls. Codes are those of delivery.py.

-- name: ask
-- The gateways of channels $3 that may have something of alert $1.
INSERT INTO recall (alert_id, gateway_id, asked_at, next_at)
SELECT $1, g.id, $2, $2 FROM gateway g
WHERE g.channel = ANY($3::text[]) AND EXISTS (SELECT 1 FROM batch b WHERE b.alert_id = $1 AND b.channel = g.channel)
ON CONFLICT DO NOTHING

-- name: take
-- What is due at gateways $1, for $3 seconds.
WITH due AS (
    SELECT alert_id, gateway_id FROM recall
    WHERE state = 'open' AND next_at <= $2 AND gateway_id = ANY($1::smallint[])
    ORDER BY next_at LIMIT 20 FOR UPDATE SKIP LOCKED
)
UPDATE recall r SET next_at = $2 + make_interval(secs => $3), tries = LEAST(r.tries + 1, 32767)
FROM due d WHERE r.alert_id = d.alert_id AND r.gateway_id = d.gateway_id
RETURNING r.alert_id, r.gateway_id, r.tries

-- name: of_late
-- What was asked of gateways $1 since $2, whoever carries it out, and whether it is over.
SELECT alert_id, gateway_id, tries FROM recall WHERE gateway_id = ANY($1::smallint[]) AND asked_at > $2

-- name: sounding
-- What gateway $2 has of alert $1 on channel $3, on the side $4 of the wall, and has not brought to an end: what it took (the log
-- knows before the fold), what it may have taken, and what a worker that fell silent may have given to any.
WITH taken AS MATERIALIZED (
    SELECT n.ordinal, e.attempt, n.ref FROM entry e CROSS JOIN LATERAL unnest(e.ordinals, e.refs) AS n(ordinal, ref)
    WHERE e.alert_id = $1 AND e.gateway_id = $2 AND e.refs IS NOT NULL
)
SELECT d.ordinal, coalesce(t.attempt, d.attempts)::int AS attempt, coalesce(t.ref, '') AS ref, d.address
FROM batch b
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
LEFT JOIN taken t ON t.ordinal = d.ordinal
WHERE b.alert_id = $1 AND b.channel = $3 AND b.rehearsal = $4 AND d.state < 5
  AND (t.ordinal IS NOT NULL OR d.gateway_id = $2 OR (d.gateway_id IS NULL AND d.attempts > 0))
ORDER BY d.ordinal

-- name: under_way
-- Whether a worker may still be giving something of alert $1 to a gateway of channel $2.
SELECT EXISTS (SELECT 1 FROM batch WHERE alert_id = $1 AND channel = $2 AND state IN (1, 3))

-- name: told
-- $3 messages were to be stopped; over if $4, else looked at again at $5.
UPDATE recall
SET told = GREATEST(told, $3), why = '', next_at = $5,
    state = CASE WHEN $4 THEN 'done' ELSE state END, ended_at = CASE WHEN $4 THEN $6::timestamptz END
WHERE alert_id = $1 AND gateway_id = $2

-- name: missed
UPDATE recall SET why = $3, next_at = $4 WHERE alert_id = $1 AND gateway_id = $2

-- name: give_up
UPDATE recall SET state = 'failed', ended_at = $1 WHERE state = 'open' AND asked_at <= $2
RETURNING alert_id, gateway_id, why
