-- Statements of errands.

-- name: ask
INSERT INTO errand (alert_id, account_id, kind, regions, asked_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (alert_id, account_id, kind, regions) WHERE state = 'open' DO NOTHING
RETURNING id

-- name: known
SELECT id FROM errand WHERE alert_id = $1 AND account_id = $2 AND kind = $3 AND regions = $4 AND state = 'open'

-- name: open_of
SELECT count(*) FROM errand WHERE account_id = $1 AND state = 'open'

-- name: errands
-- What account $2 has asked for under alert $1, the latest first; $3 one of them (NULL: all), $4 rows.
SELECT id, alert_id, kind, regions, state, total, done, households, deliveries, fault, asked_at, ended_at
FROM errand WHERE alert_id = $1 AND account_id = $2 AND ($3::bigint IS NULL OR id = $3) ORDER BY id DESC LIMIT $4

-- name: claim
-- The next one that nobody works at; whoever falls silent loses it.
UPDATE errand SET owner = $1, lease_until = clock_timestamp() + make_interval(secs => $2), tries = tries + 1
WHERE id = (
    SELECT id FROM errand
    WHERE state = 'open' AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND tries < $3
    ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING id, alert_id, account_id, kind, regions

-- name: tell
-- A piece is done, in the same transaction: how far it is now ($3 of $4 villages), what the piece added. Only for whoever holds it.
UPDATE errand
SET done = $3, total = $4, households = households + $5, deliveries = deliveries + $6,
    lease_until = clock_timestamp() + make_interval(secs => $7)
WHERE id = $1 AND owner = $2 AND state = 'open' RETURNING id

-- name: finish
UPDATE errand SET state = $3, fault = $4, ended_at = $5, owner = NULL, lease_until = NULL
WHERE id = $1 AND owner = $2 AND state = 'open' RETURNING households, deliveries

-- name: give_up
UPDATE errand SET state = 'failed', fault = $2, ended_at = $3, owner = NULL, lease_until = NULL
WHERE state = 'open' AND tries >= $1 AND lease_until < clock_timestamp()
