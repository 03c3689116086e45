-- Statements of units: who must confirm, and what is done about their silence.

-- name: open_units
-- One unit per region of the right level that lies in the area, or holds households of it.
INSERT INTO unit (alert_id, region, role, next_at)
SELECT $1::int, h.region_code, $2::text, $3::timestamptz
FROM (
    SELECT r.code AS region_code, r.lon, r.lat, true AS active, '{{}}'::text[] AS tags FROM region r WHERE r.level = $4::int
) h
WHERE {where}
UNION
SELECT $1::int, k.region, $2::text, $3::timestamptz FROM chunk k WHERE k.alert_id = $1 AND length(k.region) = 3 + 3 * $4::int
ON CONFLICT (alert_id, region, role) DO NOTHING

-- name: due_units
SELECT u.id, u.alert_id, u.region, u.role, u.step
FROM unit u JOIN run r ON r.alert_id = u.alert_id
WHERE u.state = 'waiting' AND u.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
ORDER BY r.urgency, u.next_at, u.id
LIMIT $2
FOR UPDATE OF u SKIP LOCKED

-- name: holders
-- Contacts of whoever holds the duty in a unit's own region, by rank.
SELECT u.unit_id, d.person_id, c.id AS contact_id, c.address, c.medium, p.language
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u(unit_id, region, role)
JOIN duty d ON d.region_code = u.region AND d.role = u.role AND d.rank = $4
           AND d.valid_from <= $5 AND (d.valid_to IS NULL OR d.valid_to > $5)
JOIN person p ON p.id = d.person_id
LEFT JOIN contact c ON c.person_id = d.person_id AND c.active
ORDER BY u.unit_id, d.person_id, c.priority

-- name: superiors
-- Contacts of whoever answers for the nearest region above that has anybody on duty.
SELECT s.unit_id, s.person_id, c.id AS contact_id, c.address, c.medium, p.language
FROM (
    SELECT u.unit_id, d.person_id, length(d.region_code) AS depth,
           max(length(d.region_code)) OVER (PARTITION BY u.unit_id) AS nearest
    FROM unnest($1::bigint[], $2::text[]) AS u(unit_id, region)
    JOIN duty d ON d.region_code IN (left(u.region, 12), left(u.region, 9), left(u.region, 6))
               AND length(d.region_code) < length(u.region)
               AND d.role IN ('village_head', 'town_leader', 'duty_desk')
               AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3)
) s
JOIN person p ON p.id = s.person_id
LEFT JOIN contact c ON c.person_id = s.person_id AND c.active
WHERE s.depth = s.nearest
ORDER BY s.unit_id, s.person_id, c.priority

-- name: asked
INSERT INTO unit_ask (unit_id, person_id, asked_at)
SELECT DISTINCT a.unit_id, a.person_id, $3::timestamptz FROM unnest($1::bigint[], $2::bigint[]) AS a(unit_id, person_id)
ON CONFLICT DO NOTHING

-- name: notice
INSERT INTO duty_notice (alert_id, unit_id, created_at) SELECT $1, u, $3 FROM unnest($2::bigint[]) u ON CONFLICT DO NOTHING

-- name: step_taken
UPDATE unit u
SET step = $2, next_at = coalesce(a.next_at, u.next_at),
    state = CASE WHEN a.next_at IS NULL THEN 'exhausted' ELSE u.state END,
    holderless = u.holderless OR a.holderless
FROM unnest($1::bigint[], $3::timestamptz[], $4::boolean[]) AS a(id, next_at, holderless)
WHERE u.id = a.id

-- name: log
INSERT INTO escalation_log (alert_id, unit_id, step, action, asked, at)
SELECT $1, a.unit_id, $2, $3, a.asked, $6 FROM unnest($4::bigint[], $5::int[]) AS a(unit_id, asked)

-- name: cancel_closed
-- Units of runs that are over have nothing to confirm any more.
UPDATE unit u SET state = 'cancelled'
FROM run r WHERE r.alert_id = u.alert_id AND r.state > 0 AND u.state = 'waiting'
RETURNING u.id

-- name: places
SELECT u.id, coalesce(r.name, '') AS name FROM unit u LEFT JOIN region r ON r.code = u.region WHERE u.id = ANY($1::bigint[])
