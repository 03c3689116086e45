-- name: find
SELECT key, account_id, alert_id, replaces, deed, typed, regions, version, changed_at, changed_by, changed_in
FROM draft_form WHERE key = $1

-- name: lock
SELECT key, account_id, alert_id, replaces, deed, typed, regions, version, changed_at, changed_by, changed_in
FROM draft_form WHERE key = $1 FOR UPDATE

-- name: of_alert
SELECT key, account_id, alert_id, replaces, deed, typed, regions, version, changed_at, changed_by, changed_in
FROM draft_form WHERE alert_id = $1

-- name: successor
SELECT key, account_id, alert_id, replaces, deed, typed, regions, version, changed_at, changed_by, changed_in
FROM draft_form WHERE replaces = $1 AND deed = $2 AND account_id = $3 AND alert_id IS NULL

-- name: open
-- Those that have not become an alert, the latest first; $1 is the account, $2 the prefixes where it may write.
SELECT key, account_id, alert_id, replaces, deed, typed, regions, version, changed_at, changed_by, changed_in
FROM draft_form d
WHERE alert_id IS NULL AND (account_id = $1
    OR (regions <> '{}' AND NOT EXISTS (
        SELECT FROM unnest(d.regions) AS r(code)
        WHERE NOT EXISTS (SELECT FROM unnest($2::text[]) AS s(scope) WHERE starts_with(r.code, s.scope)))))
ORDER BY changed_at DESC LIMIT $3

-- name: begin
INSERT INTO draft_form (key, account_id, alert_id, replaces, deed, typed, regions, changed_at, changed_by, changed_in)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING

-- name: change
UPDATE draft_form SET typed = $2, regions = $3, version = version + 1, changed_at = $4, changed_by = $5, changed_in = $6
WHERE key = $1

-- name: become
UPDATE draft_form SET alert_id = $2 WHERE key = $1

-- name: discard
DELETE FROM draft_form WHERE key = $1 AND alert_id IS NULL

-- name: forget
-- Drafts that nobody has touched since $1.
DELETE FROM draft_form WHERE alert_id IS NULL AND changed_at < $1

-- name: see
INSERT INTO sighting (alert_id, account_id, version, fields, seen_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING

-- name: seen_before
SELECT fields FROM sighting WHERE alert_id = $1 AND account_id = $2 AND version < $3 ORDER BY version DESC LIMIT 1
