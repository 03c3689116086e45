-- Statements of escalation: who must confirm, what is done about their silence, and what their answers settle.

-- name: unit_regions
-- The regions of the right level that lie in the area, hold households of it, or have somebody on that duty there; and those
-- that an earlier alert of the lineage asked: who was told to go must hear how it goes on. $1 the alert, $2 the role, $3 now,
-- $4 the level's code length, $5 the lineage. What is filled in is the condition over `h`, here over regions and duties as well.
SELECT left(h.region_code, $4::int) AS region FROM (
    SELECT r.code AS region_code, r.lon, r.lat, true AS active, '{{}}'::text[] AS tags FROM region r WHERE length(r.code) = $4::int
    UNION ALL
    SELECT d.region_code, NULL, NULL, true, '{{}}'::text[] FROM duty d
    WHERE d.role = $2::text AND length(d.region_code) = $4::int AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3)
    UNION ALL
    SELECT h.region_code, h.lon, h.lat, h.active, h.tags FROM household h WHERE length(h.region_code) >= $4::int
) h WHERE {where}
UNION
SELECT u.region FROM run r JOIN unit u ON u.alert_id = r.alert_id
WHERE r.lineage = $5::int AND r.alert_id <> $1 AND u.role = $2::text

-- name: open_units
-- One unit per region that `unit_regions` finds, due at $3.
INSERT INTO unit (alert_id, region, role, next_at)
SELECT $1::int, found.region, $2::text, $3::timestamptz FROM ({regions}) found
ON CONFLICT (alert_id, region, role) DO NOTHING

-- name: retire_lineage
-- The alert that replaces another takes its silent units' place; nobody need be called about the old ones any more, nor
-- about those whose policy was used up. Calls for help stay open.
WITH retired AS (
    UPDATE unit u SET state = 'cancelled', next_at = NULL
    FROM run r WHERE r.lineage = $1 AND r.alert_id <> $2 AND u.alert_id = r.alert_id AND u.state = 'waiting'
    RETURNING u.alert_id, u.id, u.step
), closed AS (
    UPDATE duty_notice n SET state = 'done', closed_at = $3
    FROM run r WHERE r.lineage = $1 AND r.alert_id <> $2 AND n.alert_id = r.alert_id
      AND n.state = 'open' AND n.help_request_id IS NULL
)
INSERT INTO escalation_log (alert_id, unit_id, step, action, at) SELECT alert_id, id, step, 'cancelled', $3 FROM retired

-- name: told_before
-- One message per contact that an earlier alert of the lineage asked, about this alert's unit of that place if it has one; by
-- call only where nothing else was used. Not for the primary holders of this alert's units: the first step asks them.
SELECT DISTINCT ON (d.contact_id) coalesce(n.id, d.unit_id) AS unit_id, b.channel, d.contact_id, d.address, b.language
FROM batch b
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
JOIN unit u ON u.id = d.unit_id
LEFT JOIN unit n ON n.alert_id = $2 AND n.region = u.region AND n.role = u.role
WHERE b.lineage = $1 AND b.alert_id <> $2 AND b.purpose = 'unit'
  AND (d.state IN (1, 4, 6) OR (d.state <> 5 AND d.attempts > 0) OR d.attempts > 1 OR (d.state = 0 AND b.state IN (1, 3)))
  AND NOT EXISTS (
      SELECT 1 FROM contact c JOIN duty y ON y.person_id = c.person_id
      JOIN unit m ON m.alert_id = $2 AND m.region = y.region_code AND m.role = y.role
      WHERE c.id = d.contact_id AND y.rank = 'primary' AND y.valid_from <= $3 AND (y.valid_to IS NULL OR y.valid_to > $3))
ORDER BY d.contact_id, b.channel = 'voice', d.alert_id DESC, d.ordinal DESC

-- name: any_due
SELECT EXISTS (
    SELECT 1 FROM unit u JOIN run r ON r.alert_id = u.alert_id
    WHERE u.state = 'waiting' AND u.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
)

-- name: due_units
-- Taking the run FOR SHARE makes a supersession wait for steps under way; steps after it see the run closed. They do not
-- wait for one: it may be waiting for these units.
SELECT u.id, u.alert_id, u.region, u.role, u.step, u.holderless
FROM unit u JOIN run r ON r.alert_id = u.alert_id
WHERE u.state = 'waiting' AND u.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
ORDER BY r.urgency, u.next_at, u.id
LIMIT $2
FOR UPDATE OF u SKIP LOCKED
FOR SHARE OF r SKIP LOCKED

-- name: duties
-- Everybody on duty in the regions $2, for any of the roles $3, the primary ones first. Whom a shift and a roster both put on
-- the same duty is asked once.
SELECT * FROM (
    SELECT DISTINCT ON (d.region_code, d.role, d.person_id)
           d.id AS duty_id, d.person_id, d.region_code AS region, d.role, d.rank, p.language
    FROM duty d JOIN person p ON p.id = d.person_id
    WHERE d.region_code = ANY($2::text[]) AND d.role = ANY($3::text[])
      AND d.valid_from <= $1 AND (d.valid_to IS NULL OR d.valid_to > $1)
    ORDER BY d.region_code, d.role, d.person_id, d.rank = 'deputy', d.shift, d.id
) held
ORDER BY region, rank = 'deputy', duty_id

-- name: contacts
-- A duty holder's own contacts, and those under which he is known at home.
SELECT DISTINCT ON (person_id, medium, address) person_id, contact_id, medium, address, priority
FROM (
    SELECT c.person_id, c.id AS contact_id, c.medium, c.address, c.priority, false AS home
    FROM contact c WHERE c.household_id IS NULL AND c.active AND c.person_id = ANY($1::bigint[])
    UNION ALL
    SELECT p.id, c.id, c.medium, c.address, c.priority, true
    FROM person p JOIN contact c ON c.household_id = p.household_id AND c.person_id = p.id
    WHERE p.id = ANY($1::bigint[]) AND c.active
) known
ORDER BY person_id, medium, address, home, contact_id

-- name: asked
INSERT INTO unit_ask (unit_id, person_id, duty_id, alert_id, step, asked_at)
SELECT DISTINCT ON (1, 2, 3) a.unit_id, a.person_id, a.duty_id, a.alert_id, a.step, $1::timestamptz
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[]) AS a(unit_id, person_id, duty_id, alert_id, step)
ORDER BY 1, 2, 3, a.step
ON CONFLICT DO NOTHING

-- name: notices
INSERT INTO duty_notice (alert_id, unit_id, region, kind, created_at)
SELECT n.alert_id, n.unit_id, n.region, n.kind, $1
FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[]) AS n(alert_id, unit_id, region, kind)
ON CONFLICT DO NOTHING

-- name: called
-- Contacts of people on duty whose phone rings for one of these alerts, or is about to, or who have heard it: states of
-- dispatch/delivery.py. A call that was placed before $2 and of which nothing was heard is over: whoever placed it has died.
-- Calls to units are few, their batches are found by the alert.
SELECT DISTINCT d.alert_id, d.contact_id
FROM batch b
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
WHERE b.alert_id = ANY($1::int[]) AND b.purpose = 'unit' AND b.channel = 'voice'
  AND (d.state IN (0, 1, 6) OR (d.state = 4 AND d.submitted_at > $2))

-- name: climbed
UPDATE unit u
SET step = c.step, next_at = c.next_at, holderless = c.holderless,
    state = CASE WHEN c.next_at IS NULL THEN 'exhausted' ELSE 'waiting' END
FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::boolean[]) AS c(id, step, next_at, holderless)
WHERE u.id = c.id

-- name: log
INSERT INTO escalation_log (alert_id, unit_id, step, action, asked, deliveries, at)
SELECT l.alert_id, l.unit_id, l.step, l.action, l.asked, l.deliveries, $1
FROM unnest($2::int[], $3::bigint[], $4::int[], $5::text[], $6::int[], $7::int[])
     WITH ORDINALITY AS l(alert_id, unit_id, step, action, asked, deliveries, place)
ORDER BY l.place

-- name: cancel_closed
-- Units of runs that are over have nothing to confirm any more, and there is nobody to call about them, exhausted ones
-- included; what is being settled right now is left to the next look.
WITH over AS (
    SELECT u.id FROM unit u JOIN run r ON r.alert_id = u.alert_id
    WHERE u.state = 'waiting' AND r.state > 0
    ORDER BY u.id FOR UPDATE OF u SKIP LOCKED
), cancelled AS (
    UPDATE unit u SET state = 'cancelled', next_at = NULL FROM over WHERE u.id = over.id
    RETURNING u.alert_id, u.id, u.step
), written AS (
    INSERT INTO escalation_log (alert_id, unit_id, step, action, at)
    SELECT alert_id, id, step, 'cancelled', $1 FROM cancelled ORDER BY id
), pointless AS (
    SELECT n.id FROM duty_notice n JOIN run r ON r.alert_id = n.alert_id
    WHERE n.state = 'open' AND n.help_request_id IS NULL AND r.state > 0
    ORDER BY n.id FOR UPDATE OF n SKIP LOCKED
), closed AS (
    UPDATE duty_notice n SET state = 'done', closed_at = $1 FROM pointless WHERE n.id = pointless.id
)
SELECT count(*)::int FROM cancelled

-- name: places
SELECT u.id, u.role, coalesce(r.name, '') AS name FROM unit u LEFT JOIN region r ON r.code = u.region WHERE u.id = ANY($1::bigint[])

-- name: lock_units
SELECT id, state FROM unit WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE

-- name: confirm
-- The first answer settles a unit; an exhausted one may still be settled while its alert is open. $7 who at the duty desk
-- wrote it down; NULL when it came as a reply.
WITH confirmed AS (
    UPDATE unit u
    SET state = 'acknowledged', next_at = NULL, acknowledged_at = $1, acknowledged_by = c.person_id, via = c.via,
        moved = c.moved, response_id = c.response_id
    FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::text[])
         AS c(id, person_id, via, moved, response_id, written_by)
    WHERE u.id = c.id AND u.state IN ('waiting', 'exhausted')
    RETURNING u.id, u.alert_id, u.step, c.written_by
), written AS (
    INSERT INTO escalation_log (alert_id, unit_id, step, action, at)
    SELECT alert_id, id, step, 'acknowledged', $1 FROM confirmed ORDER BY id
), closed AS (
    UPDATE duty_notice n SET state = 'done', closed_at = $1, closed_by = c.written_by FROM confirmed c
    WHERE n.unit_id = c.id AND n.help_request_id IS NULL AND n.state = 'open'
)
SELECT id, alert_id FROM confirmed ORDER BY id

-- name: desk_unit
-- A unit as the duty desk names it, and whether its alert still asks: states of dispatch/delivery.py.
SELECT u.region, r.state AS run_state, r.expires_at FROM unit u JOIN run r ON r.alert_id = u.alert_id
WHERE u.alert_id = $1 AND u.id = $2

-- name: raise_help
-- A second cry under the same alert from the same home, unit or unknown address counts on the first while that is open.
INSERT INTO help_request (alert_id, response_id, household_id, person_id, unit_id, region, address, text, created_at)
SELECT $1::int, $2::bigint, $3::bigint, $4::bigint, $5::bigint,
       coalesce((SELECT u.region FROM unit u WHERE u.id = $5), (SELECT h.region_code FROM household h WHERE h.id = $3), ''),
       $6::text, $7::text, $8::timestamptz
ON CONFLICT (coalesce(alert_id, 0), coalesce(household_id, 0), coalesce(unit_id, 0),
             (CASE WHEN household_id IS NULL AND unit_id IS NULL THEN address ELSE '' END)) WHERE state = 'open'
DO UPDATE SET times = help_request.times + 1, text = excluded.text, repeated_at = excluded.created_at
RETURNING id, alert_id, unit_id, region

-- name: notice_help
-- Whoever cries again is not yet helped: a notice that was closed is open again.
INSERT INTO duty_notice (alert_id, unit_id, help_request_id, region, kind, created_at)
VALUES ($1, $2, $3, $4, 'help', $5)
ON CONFLICT (help_request_id) WHERE help_request_id IS NOT NULL
DO UPDATE SET state = 'open', closed_at = NULL, closed_by = NULL WHERE duty_notice.state = 'done'

-- name: help_request
SELECT alert_id, region, state FROM help_request WHERE id = $1

-- name: close_help
-- The request before its notice, as raising does; no row when somebody else closed it first.
WITH closed AS (
    UPDATE help_request SET state = 'done', closed_at = $2 WHERE id = $1 AND state = 'open' RETURNING id
), told AS (
    UPDATE duty_notice n SET state = 'done', closed_at = $2, closed_by = $3
    FROM closed WHERE n.help_request_id = closed.id AND n.state = 'open'
)
SELECT id FROM closed
