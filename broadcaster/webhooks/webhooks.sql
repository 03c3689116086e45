-- Statements of those who subscribe to our alerts.

-- name: publish
-- Alert $1, a drill or not ($2), is for every active subscriber of its side.
INSERT INTO webhook (subscriber_id, alert_id, queued_at, next_at)
SELECT id, $1, $3, $3 FROM subscriber WHERE active AND rehearsal = $2 ORDER BY id
ON CONFLICT (subscriber_id, alert_id) DO NOTHING

-- name: catch_up
-- Subscriber $1 is to be told of what was issued since it has been one, is in force, and was not meant for it: it was switched off.
INSERT INTO webhook (subscriber_id, alert_id, queued_at, next_at)
SELECT s.id, a.id, $2, $2 FROM subscriber s
JOIN alert a ON a.state = 'issued' AND a.superseded_by IS NULL AND a.issued_at >= s.created_at
            AND (a.status <> 'Actual') = s.rehearsal AND a.document ->> 'scope' = 'Public'
WHERE s.id = $1 ORDER BY a.issued_at, a.id
ON CONFLICT (subscriber_id, alert_id) DO NOTHING

-- name: due
-- Subscribers whose oldest unsent message is due and nobody's, at the most $2.
SELECT s.id FROM subscriber s
CROSS JOIN LATERAL (
    SELECT next_at, lease_until FROM webhook w WHERE w.subscriber_id = s.id AND w.state = 'pending' ORDER BY w.id LIMIT 1
) AS head
WHERE s.active AND head.next_at <= $1 AND (head.lease_until IS NULL OR head.lease_until < clock_timestamp())
ORDER BY head.next_at LIMIT $2

-- name: claim
-- The oldest unsent message of subscriber $1 alone: a later one never overtakes it.
UPDATE webhook SET owner = $2, lease_until = clock_timestamp() + make_interval(secs => $4), attempts = attempts + 1
FROM subscriber s
WHERE webhook.id = (SELECT id FROM webhook WHERE subscriber_id = $1 AND state = 'pending' ORDER BY id LIMIT 1 FOR UPDATE)
  AND s.id = webhook.subscriber_id AND s.active AND webhook.next_at <= $3
  AND (webhook.lease_until IS NULL OR webhook.lease_until < clock_timestamp())
RETURNING webhook.id, webhook.alert_id, webhook.attempts, webhook.queued_at, s.id AS subscriber_id, s.name, s.url, s.private,
          s.secret_version, s.rehearsal, s.kind, s.manner::text AS manner, s.sealed

-- name: settle
UPDATE webhook SET state = $3, next_at = $4, settled_at = $5, owner = NULL, lease_until = NULL
WHERE id = $1 AND owner = $2 AND state = 'pending' RETURNING id

-- name: note
INSERT INTO webhook_attempt (webhook_id, number, at, status, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (webhook_id, number) DO NOTHING

-- name: said_before
-- $1 message, $2 words, $3 how many: of so many attempts before, those that ended with the same words.
SELECT count(*) FROM (SELECT reason FROM webhook_attempt WHERE webhook_id = $1 ORDER BY number DESC LIMIT $3) AS before
WHERE before.reason = $2

-- name: overtaken
-- $1 message: whether its subscriber was brought, or is just being brought, what has taken the place of its alert since.
SELECT EXISTS (
    SELECT FROM webhook w JOIN alert a ON a.id = w.alert_id
    JOIN alert newer ON newer.lineage = a.lineage AND newer.id <> a.id
    JOIN webhook n ON n.alert_id = newer.id AND n.subscriber_id = w.subscriber_id
    WHERE w.id = $1 AND n.id > w.id AND (n.state = 'delivered' OR n.lease_until > clock_timestamp())
)

-- name: resend
UPDATE webhook SET state = 'pending', next_at = $2, queued_at = $2, settled_at = NULL WHERE id = $1 AND state = 'dead'
RETURNING subscriber_id

-- name: subscribers
SELECT s.id, s.name, s.url, s.kind, s.manner::text AS manner, s.rehearsal, s.private, s.active, s.secret_version, s.created_by,
       s.created_at,
       count(w.id) FILTER (WHERE w.state = 'pending') AS pending, count(w.id) FILTER (WHERE w.state = 'delivered') AS delivered,
       count(w.id) FILTER (WHERE w.state = 'dead') AS dead, max(w.settled_at) FILTER (WHERE w.state = 'delivered') AS last_at,
       (SELECT a.reason FROM webhook_attempt a JOIN webhook p ON p.id = a.webhook_id
        WHERE p.subscriber_id = s.id ORDER BY a.at DESC, a.number DESC LIMIT 1) AS trouble
FROM subscriber s LEFT JOIN webhook w ON w.subscriber_id = s.id GROUP BY s.id ORDER BY s.name

-- name: dead
SELECT w.id, s.name, w.alert_id, a.headline, w.attempts, w.settled_at,
       (SELECT t.reason FROM webhook_attempt t WHERE t.webhook_id = w.id ORDER BY t.number DESC LIMIT 1) AS reason
FROM webhook w JOIN subscriber s ON s.id = w.subscriber_id LEFT JOIN alert a ON a.id = w.alert_id
WHERE w.state = 'dead' ORDER BY w.id DESC LIMIT $1

-- name: add
INSERT INTO subscriber (name, url, rehearsal, private, created_by, created_at, kind, manner, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: renew
UPDATE subscriber SET secret_version = secret_version + 1 WHERE id = $1 AND kind = 'webhook' RETURNING name, secret_version

-- name: hold
SELECT name FROM subscriber WHERE id = $1 AND sealed IS NOT NULL FOR UPDATE

-- name: set_password
UPDATE subscriber SET sealed = $2 WHERE id = $1

-- name: switch
UPDATE subscriber SET active = $2 WHERE id = $1 RETURNING name
