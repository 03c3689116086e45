-- What the API and the pages read row by row. Codes are those of dispatch/delivery.py.

-- name: deliveries
-- One page of an alert's deliveries behind ordinal $2. Batches are contiguous ranges with counts by state, so a rare
-- state or one village is found without walking all rows. $3 state code (NULL: all), $4 channel, $5 region prefix,
-- $6 the regions that may be seen, $7 rows.
-- A batch is of one village, or ('') of units or loudspeakers anywhere: it may hold something for a grid below the village
-- or for a town above it. Where it does not lie wholly inside, each delivery is judged by its own region, which is looked
-- up only then.
SELECT d.ordinal, d.state, d.attempts, d.address, d.household_id, d.unit_id, d.terminal_id,
       d.submitted_at, d.settled_at, coalesce(d.reason, '') AS reason, b.channel,
       CASE WHEN b.region = '' THEN coalesce(own.region, '') ELSE b.region END AS region, b.purpose,
       coalesce(g.name, '') AS gateway
FROM batch b
JOIN tally y USING (alert_id, first)
JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN GREATEST(b.first, $2 + 1) AND b.last
CROSS JOIN LATERAL (SELECT CASE
    WHEN d.unit_id IS NOT NULL THEN (SELECT u.region FROM unit u WHERE u.id = d.unit_id)
    WHEN d.terminal_id IS NOT NULL THEN (SELECT s.region_code FROM terminal s WHERE s.id = d.terminal_id)
    ELSE (SELECT t.region FROM target t WHERE t.alert_id = d.alert_id AND t.household_id = d.household_id)
END AS region) own
LEFT JOIN gateway g ON g.id = d.gateway_id
WHERE b.alert_id = $1 AND b.last > $2
  AND ($3::int IS NULL OR d.state = $3 AND
       CASE $3 WHEN 0 THEN y.queued WHEN 1 THEN y.unknown WHEN 2 THEN y.expired WHEN 3 THEN y.cancelled
               WHEN 4 THEN y.submitted WHEN 5 THEN y.failed ELSE y.delivered END > 0)
  AND ($4::text IS NULL OR b.channel = $4)
  AND (starts_with(b.region, $5) OR starts_with($5, b.region))
  AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(b.region, scope) OR starts_with(scope, b.region))
  AND (starts_with(b.region, $5) OR starts_with(own.region, $5))
  AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(b.region, scope) OR starts_with(own.region, scope))
ORDER BY b.first, d.ordinal
LIMIT $7

-- name: units
-- Who must confirm, who did and when, the silent ones first. $2 state (NULL: all), $3 region prefix, $4 the regions that
-- may be seen, $5 rows, $6 only this one (NULL: all).
SELECT u.id, u.region, coalesce(r.name, '') AS region_name, u.role, u.state, u.step, u.next_at,
       u.acknowledged_at, coalesce(p.name, '') AS acknowledged_by, coalesce(u.via, '') AS via, u.moved, u.holderless
FROM unit u
LEFT JOIN region r ON r.code = u.region
LEFT JOIN person p ON p.id = u.acknowledged_by
WHERE u.alert_id = $1 AND ($2::text IS NULL OR u.state = $2) AND starts_with(u.region, $3)
  AND ($6::bigint IS NULL OR u.id = $6)
  AND EXISTS (SELECT 1 FROM unnest($4::text[]) AS scope WHERE starts_with(u.region, scope))
ORDER BY array_position('{exhausted,waiting,acknowledged,cancelled}', u.state), u.step DESC, u.region, u.role
LIMIT $5

-- name: helps
-- Calls for help, the open ones first and of those the oldest. $1 alert (NULL: of all, and of none), $2 the regions that
-- may be seen; whose region nobody knows is everybody's business. $3 state (NULL: all), $4 the last id seen, $5 rows,
-- $6 only this one (NULL: all). Whoever asked by link left no number: then it is the home's or the person's own.
SELECT q.id, q.alert_id, coalesce(g.rehearsal, s.rehearsal, false) AS rehearsal, q.state, q.created_at, q.repeated_at,
       q.times, q.closed_at, q.text, q.region, q.unit_id, q.household_id,
       coalesce(h.name, p.name, '') AS name, coalesce(h.address, '') AS address,
       coalesce(nullif(q.address, ''),
                (SELECT c.address FROM contact c
                 WHERE c.medium = 'phone' AND c.active AND (c.household_id = q.household_id OR c.person_id = q.person_id)
                 ORDER BY c.priority, c.id LIMIT 1), '') AS call_back
FROM help_request q
LEFT JOIN response s ON s.id = q.response_id
LEFT JOIN run g ON g.alert_id = q.alert_id
LEFT JOIN household h ON h.id = q.household_id
LEFT JOIN person p ON p.id = q.person_id
WHERE ($1::int IS NULL OR q.alert_id = $1) AND ($3::text IS NULL OR q.state = $3) AND q.id > $4
  AND ($6::bigint IS NULL OR q.id = $6)
  AND (q.region = '' OR EXISTS (SELECT 1 FROM unnest($2::text[]) AS scope WHERE starts_with(q.region, scope)))
ORDER BY q.state DESC, q.id
LIMIT $5

-- name: notices
-- What the duty desk has to do, oldest first. $1 alert (NULL: of all, and of none), $2 the regions that may be seen; whose
-- region nobody knows is everybody's business. $3 kinds, $4 the last id seen, $5 rows, $6 now.
SELECT n.id, n.kind, n.created_at, n.alert_id, coalesce(a.headline, '') AS headline,
       coalesce(g.rehearsal, s.rehearsal, false) AS rehearsal, n.region, coalesce(r.name, '') AS region_name,
       n.unit_id, coalesce(u.role, '') AS role, n.help_request_id, coalesce(q.text, '') AS text,
       coalesce((SELECT array_agg(concat_ws(' ', p.name,
                                            (SELECT string_agg(c.address, ' ' ORDER BY c.priority, c.id) FROM contact c
                                             WHERE c.person_id = p.id AND c.medium = 'phone' AND c.active))
                                  ORDER BY d.rank = 'deputy', d.id)
                 FROM duty d JOIN person p ON p.id = d.person_id
                 WHERE d.region_code = u.region AND d.role = u.role
                   AND d.valid_from <= $6 AND (d.valid_to IS NULL OR d.valid_to > $6)), '{}') AS holders
FROM duty_notice n
LEFT JOIN alert a ON a.id = n.alert_id
LEFT JOIN run g ON g.alert_id = n.alert_id
LEFT JOIN region r ON r.code = n.region
LEFT JOIN unit u ON u.id = n.unit_id
LEFT JOIN help_request q ON q.id = n.help_request_id
LEFT JOIN response s ON s.id = q.response_id
WHERE n.state = 'open' AND ($1::int IS NULL OR n.alert_id = $1) AND n.kind = ANY($3::text[]) AND n.id > $4
  AND (n.region = '' OR EXISTS (SELECT 1 FROM unnest($2::text[]) AS scope WHERE starts_with(n.region, scope)))
ORDER BY n.id
LIMIT $5

-- name: open_helps
SELECT count(*)::int FROM help_request WHERE alert_id = $1 AND state = 'open'

-- name: open_notices
SELECT count(*)::int FROM duty_notice WHERE alert_id = $1 AND state = 'open'

-- name: reply_link
-- What stands behind a reply link: whom the delivery went to, and what was answered through it.
SELECT d.unit_id IS NOT NULL AS unit, u.state AS unit_state, u.acknowledged_at, coalesce(r.name, '') AS place,
       (SELECT array_agg(s.text ORDER BY s.id) FROM response s
        WHERE s.alert_id = d.alert_id AND s.delivery = d.ordinal) AS answers
FROM delivery d
LEFT JOIN unit u ON u.id = d.unit_id
LEFT JOIN household h ON h.id = d.household_id
LEFT JOIN region r ON r.code = coalesce(u.region, left(h.region_code, 12))
WHERE d.alert_id = $1 AND d.ordinal = $2
