-- Statements of settlement: whom a reply is from, and what it settles.

-- name: unsettled
SELECT id, gateway, channel, address, text, received_at, delivery, alert_id, person_id, household_id
FROM response WHERE settled_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: senders
-- The people and households behind an address.
SELECT DISTINCT person_id, household_id FROM contact WHERE medium = $1 AND address = $2

-- name: competent_units
-- Units of open alerts that these people may settle now: theirs by duty, or ones that asked them.
SELECT u.id, u.alert_id, u.state, p.person_id, a.reply_code
FROM unnest($1::bigint[]) AS p(person_id)
JOIN unit u ON u.state IN ('waiting', 'exhausted', 'acknowledged')
JOIN run r ON r.alert_id = u.alert_id AND r.state = 0 AND r.expires_at > $2
JOIN alert a ON a.id = u.alert_id
WHERE EXISTS (
        SELECT 1 FROM duty d
        WHERE d.person_id = p.person_id AND d.region_code = u.region AND d.role = u.role
          AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2))
   OR EXISTS (SELECT 1 FROM unit_ask q WHERE q.unit_id = u.id AND q.person_id = p.person_id)
ORDER BY u.id

-- name: open_targets
-- Open alerts under which these households are told.
SELECT t.alert_id, t.household_id, a.reply_code
FROM target t
JOIN run r ON r.alert_id = t.alert_id AND r.state = 0 AND r.expires_at > $2
JOIN alert a ON a.id = t.alert_id
WHERE t.household_id = ANY($1::bigint[])
ORDER BY t.alert_id

-- name: confirm
UPDATE unit SET state = 'acknowledged', acknowledged_at = $2, acknowledged_by = $3, via = $4, moved = coalesce($5, moved), response_id = $6
WHERE id = $1 AND state IN ('waiting', 'exhausted')
RETURNING alert_id

-- name: lock_units
SELECT id FROM unit WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE

-- name: close_notices
UPDATE duty_notice SET state = 'done', closed_at = $2 WHERE unit_id = ANY($1::bigint[]) AND state = 'open'

-- name: ask_for_help
INSERT INTO help_request (alert_id, response_id, household_id, person_id, text, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (response_id) DO NOTHING

-- name: settled
UPDATE response SET settled_at = $2, intent = $3, alert_id = $4, person_id = $5, household_id = $6, units = $7 WHERE id = $1
