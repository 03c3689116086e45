-- What the API and the pages read row by row. Codes are those of dispatch/delivery.py.

-- name: deliveries
-- One page of an alert's deliveries behind ordinal $2. Batches are contiguous ranges with counts by state, so a rare
-- state or one village is found without walking all rows. $3 state code (NULL: all), $4 channel, $5 region prefix,
-- $6 the regions that may be seen, $7 rows.
SELECT d.ordinal, d.state, d.attempts, d.address, d.household_id, d.unit_id, d.terminal_id,
       d.submitted_at, d.settled_at, coalesce(d.reason, '') AS reason, b.channel, b.region, b.purpose,
       coalesce(g.name, '') AS gateway
FROM batch b
JOIN tally y USING (alert_id, first)
JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN GREATEST(b.first, $2 + 1) AND b.last
LEFT JOIN gateway g ON g.id = d.gateway_id
WHERE b.alert_id = $1 AND b.last > $2
  AND ($3::int IS NULL OR d.state = $3 AND
       CASE $3 WHEN 0 THEN y.queued WHEN 1 THEN y.unknown WHEN 2 THEN y.expired WHEN 3 THEN y.cancelled
               WHEN 4 THEN y.submitted WHEN 5 THEN y.failed ELSE y.delivered END > 0)
  AND ($4::text IS NULL OR b.channel = $4)
  AND starts_with(b.region, $5)
  AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(b.region, scope))
ORDER BY b.first, d.ordinal
LIMIT $7

-- name: unreached
-- One page of the households that are not reached, behind (village $2, household $3), village by village. $4 the target
-- states asked for, $5 region prefix, $6 the regions that may be seen, $7 rows.
SELECT t.village, t.household_id, t.region, t.state, t.risk, h.name, h.address, h.tags,
       coalesce(v.name, '') AS village_name, coalesce(r.name, '') AS region_name,
       coalesce((SELECT array_agg(c.address ORDER BY c.priority, c.id) FROM contact c
                 WHERE c.household_id = t.household_id AND c.medium = 'phone' AND c.active), '{}') AS phones,
       coalesce(k.state, '') AS door_task, coalesce(k.reason, '') AS reason, coalesce(p.name, '') AS assignee
FROM chunk
JOIN target t ON t.alert_id = chunk.alert_id AND t.village = chunk.region
LEFT JOIN household h ON h.id = t.household_id
LEFT JOIN region v ON v.code = t.village
LEFT JOIN region r ON r.code = t.region
LEFT JOIN door_task k ON k.alert_id = t.alert_id AND k.household_id = t.household_id
LEFT JOIN person p ON p.id = k.assignee_person_id
WHERE chunk.alert_id = $1 AND chunk.region >= $2 AND chunk.reached < chunk.households
  AND (t.village, t.household_id) > ($2, $3)
  AND t.state = ANY($4::smallint[])
  AND starts_with(t.region, $5)
  AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(t.region, scope))
ORDER BY t.village, t.household_id
LIMIT $7

-- name: units
-- Who must confirm, who did and when, the silent ones first. $2 state (NULL: all), $3 region prefix, $4 the regions that
-- may be seen, $5 rows.
SELECT u.id, u.region, coalesce(r.name, '') AS region_name, u.role, u.state, u.step, u.next_at,
       u.acknowledged_at, coalesce(p.name, '') AS acknowledged_by, coalesce(u.via, '') AS via, u.moved, u.holderless
FROM unit u
LEFT JOIN region r ON r.code = u.region
LEFT JOIN person p ON p.id = u.acknowledged_by
WHERE u.alert_id = $1 AND ($2::text IS NULL OR u.state = $2) AND starts_with(u.region, $3)
  AND EXISTS (SELECT 1 FROM unnest($4::text[]) AS scope WHERE starts_with(u.region, scope))
ORDER BY array_position('{exhausted,waiting,acknowledged,cancelled}', u.state), u.step DESC, u.region, u.role
LIMIT $5

-- name: escalations
-- What was done about silence: how many units took each step, how many people it asked, and when last.
SELECT l.step, l.action, count(DISTINCT l.unit_id)::int AS units, sum(l.asked)::int AS asked, max(l.at) AS last_at
FROM unit u JOIN escalation_log l ON l.unit_id = u.id
WHERE u.alert_id = $1 AND l.action NOT IN ('acknowledged', 'exhausted', 'cancelled')
GROUP BY l.step, l.action ORDER BY l.step, l.action

-- name: helps
-- Calls for help that nobody has closed, the oldest first. $2 the regions that may be seen; whose region nobody knows is
-- everybody's business.
SELECT q.id, q.created_at, q.text, coalesce(h.name, p.name, '') AS name, coalesce(h.address, '') AS address
FROM help_request q
LEFT JOIN household h ON h.id = q.household_id
LEFT JOIN person p ON p.id = q.person_id
WHERE q.alert_id = $1 AND q.state = 'open'
  AND (q.region = '' OR EXISTS (SELECT 1 FROM unnest($2::text[]) AS scope WHERE starts_with(q.region, scope)))
ORDER BY q.id LIMIT 200

-- name: open_helps
SELECT count(*)::int FROM help_request WHERE alert_id = $1 AND state = 'open'

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
