-- What the API and the pages read row by row. Codes are those of dispatch/delivery.py.

-- name: deliveries
-- One page of an alert's deliveries behind ordinal $2. Batches are contiguous ranges with counts by state, so a rare
-- state or one village is found without walking all rows. $3 state code (NULL: all), $4 channel, $5 region prefix,
-- $6 the regions that may be seen, $7 rows.
SELECT d.ordinal, d.state, d.attempts, d.address, d.household_id, d.unit_id, d.terminal_id,
       d.submitted_at, d.settled_at, coalesce(d.reason, '') AS reason, b.channel, b.region, b.purpose,
       coalesce(g.name, '') AS gateway
FROM batch b
JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN GREATEST(b.first, $2 + 1) AND b.last
LEFT JOIN gateway g ON g.id = d.gateway_id
WHERE b.alert_id = $1 AND b.last > $2
  AND ($3::int IS NULL OR d.state = $3 AND
       CASE $3 WHEN 0 THEN b.queued WHEN 1 THEN b.unknown WHEN 2 THEN b.expired WHEN 3 THEN b.cancelled
               WHEN 4 THEN b.submitted WHEN 5 THEN b.failed ELSE b.delivered END > 0)
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
-- Who must confirm, who did and when, the silent ones first.
SELECT u.id, u.region_code AS region, coalesce(r.name, '') AS region_name, u.role, u.state, u.step, u.next_at,
       u.acknowledged_at, coalesce(p.name, '') AS acknowledged_by, coalesce(u.via, '') AS via
FROM unit u
LEFT JOIN region r ON r.code = u.region_code
LEFT JOIN person p ON p.id = u.acknowledged_by_person
WHERE u.alert_id = $1 AND ($2::text IS NULL OR u.state = $2) AND starts_with(u.region_code, $3)
  AND EXISTS (SELECT 1 FROM unnest($4::text[]) AS scope WHERE starts_with(u.region_code, scope))
ORDER BY array_position('{exhausted,waiting,acknowledged,cancelled}', u.state::text), u.step DESC, u.region_code, u.role
LIMIT $5
