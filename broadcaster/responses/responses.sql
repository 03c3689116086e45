-- Statements of replies: keeping them, finding those not looked at yet, and reading who the senders are.

-- name: keep
-- In the order of their ids, so that two processes with the same replies do not wait for each other in a ring.
INSERT INTO response (gateway, channel, rehearsal, external_id, address, text, alert_id, delivery, received_at, stored_at)
SELECT $1, $2, $3, r.external_id, r.address, r.text, r.alert_id, r.delivery, r.received_at, $4
FROM unnest($5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $10::timestamptz[])
     AS r(external_id, address, text, alert_id, delivery, received_at)
ORDER BY r.external_id
ON CONFLICT (gateway, external_id) DO NOTHING

-- name: unsettled
SELECT id, gateway, channel, rehearsal, address, text, received_at, alert_id, delivery
FROM response WHERE settled_at IS NULL ORDER BY id LIMIT $1
FOR UPDATE SKIP LOCKED

-- name: named
SELECT id, gateway, channel, rehearsal, address, text, received_at, alert_id, delivery
FROM response WHERE gateway = $1 AND external_id = $2 AND settled_at IS NULL
FOR UPDATE

-- name: settled
UPDATE response SET settled_at = $2, intent = $3, outcome = $4, alert_id = $5, person_id = $6, household_id = $7, units = $8, moved = $9
WHERE id = $1

-- name: senders
-- Whose address it is: people as duty holders or members, and the homes that have it or that these people live in.
-- $2 and $3 are the address as it came and as contacts are stored.
SELECT DISTINCT a.place::int AS place, c.person_id, coalesce(c.household_id, p.household_id) AS household_id
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a(medium, address, stored, place)
JOIN contact c ON c.address IN (a.address, a.stored) AND c.medium = a.medium AND c.active
LEFT JOIN person p ON p.id = c.person_id
ORDER BY 1, 2, 3

-- name: addressees
-- Whom the answered messages were sent to.
SELECT d.alert_id, d.ordinal, d.unit_id, c.person_id, coalesce(d.household_id, c.household_id, p.household_id) AS household_id, d.address
FROM unnest($1::int[], $2::int[]) AS a(alert_id, ordinal)
JOIN delivery d ON d.alert_id = a.alert_id AND d.ordinal = a.ordinal
LEFT JOIN contact c ON c.id = d.contact_id
LEFT JOIN person p ON p.id = c.person_id

-- name: alerts
-- Alerts that a reply may mean: the open ones, and those closed in the last two days, for the record.
SELECT r.alert_id, r.rehearsal, coalesce(a.reply_code, '') AS code, a.headline, r.state = 0 AND r.expires_at > $1 AS open,
       r.opened_at, r.alert_id <> r.lineage AS inherited
FROM run r JOIN alert a ON a.id = r.alert_id
WHERE coalesce(r.closed_at, r.expires_at) > $1 - interval '2 days'
ORDER BY r.alert_id

-- name: standings
-- The units for which people may answer, and why: the holder of the duty, whoever was asked, one level up.
-- Standings are those of responses/matching.py. $5 and $6: the role that answers for the regions below, by code length.
WITH held AS (
    SELECT d.id, d.person_id, d.region_code, d.role FROM duty d
    WHERE d.person_id = ANY($2::bigint[]) AND d.valid_from <= $1 AND (d.valid_to IS NULL OR d.valid_to > $1)
), found AS (
    SELECT h.person_id, u.id, 0 AS standing
    FROM held h JOIN unit u ON u.alert_id = ANY($3::int[]) AND u.region = h.region_code AND u.role = h.role
    UNION ALL
    SELECT k.person_id, k.unit_id, CASE WHEN h.id IS NULL THEN 3 ELSE 1 END
    FROM unit_ask k LEFT JOIN held h ON h.id = k.duty_id
    WHERE k.person_id = ANY($2::bigint[]) AND k.alert_id = ANY($3::int[])
    UNION ALL
    SELECT h.person_id, u.id, 2
    FROM held h
    JOIN unnest($5::int[], $6::text[]) AS above(length, role) ON above.length = length(h.region_code) AND above.role = h.role
    JOIN unit u ON u.alert_id = ANY($4::int[]) AND left(u.region, -3) = h.region_code AND u.state IN ('waiting', 'exhausted')
)
SELECT f.person_id, u.id AS unit_id, u.alert_id, u.state IN ('waiting', 'exhausted') AS waiting, min(f.standing) AS standing
FROM found f JOIN unit u ON u.id = f.id
GROUP BY f.person_id, u.id
ORDER BY min(f.standing), u.alert_id, u.id

-- name: told
-- When alerts $1 were told to people $2 as duty holders, unit by unit: when a gateway first took a message, or may have (it
-- is on its way right now). NULL: a message waits, and none has left.
SELECT c.person_id, d.alert_id, d.unit_id,
       min(CASE WHEN d.submitted_at IS NOT NULL THEN d.submitted_at
                WHEN d.attempts > 0 OR b.state IN (1, 3) THEN r.opened_at END) AS told_at
FROM run r JOIN batch b ON b.alert_id = r.alert_id
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
JOIN contact c ON c.id = d.contact_id
WHERE r.alert_id = ANY($1::int[]) AND b.purpose = 'unit' AND c.person_id = ANY($2::bigint[])
GROUP BY c.person_id, d.alert_id, d.unit_id

-- name: homes
-- Homes $2 that are targets of alerts $1, with when each was told: when a gateway first took a message, or may have.
SELECT t.household_id, t.alert_id, x.addressed, x.told_at
FROM unnest($1::int[]) AS a(alert_id) CROSS JOIN unnest($2::bigint[]) AS h(household_id)
JOIN target t ON t.alert_id = a.alert_id AND t.household_id = h.household_id
JOIN run r ON r.alert_id = t.alert_id
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS addressed,
           min(CASE WHEN d.submitted_at IS NOT NULL THEN d.submitted_at
                    WHEN d.attempts > 0 OR b.state IN (1, 3) THEN r.opened_at END) AS told_at
    FROM batch b
    CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    WHERE b.alert_id = t.alert_id AND b.region = t.village AND d.household_id = t.household_id
) x
ORDER BY t.alert_id, t.household_id
