-- What the live page and the report read of an alert as a whole. Everything here stays when an alert is archived.

-- name: escalations
-- What was done about silence: how many units took each step, how many people it asked, and when first and last.
SELECT l.step, l.action, count(DISTINCT l.unit_id)::int AS units, sum(l.asked)::int AS asked, min(l.at) AS first_at,
       max(l.at) AS last_at
FROM escalation_log l
WHERE l.alert_id = $1 AND l.action NOT IN ('acknowledged', 'exhausted', 'cancelled')
GROUP BY l.step, l.action ORDER BY l.step, l.action

-- name: confirmations
-- How long units took to confirm: seconds from $2 to the median, to 90 of 100, to the last; by role.
SELECT role, count(*)::int AS units, count(acknowledged_at)::int AS acknowledged, coalesce(sum(moved), 0)::int AS moved,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY acknowledged_at) AS half_at,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY acknowledged_at) AS most_at, max(acknowledged_at) AS last_at
FROM unit WHERE alert_id = $1 GROUP BY role ORDER BY role

-- name: events
-- The timeline, the latest first: what people did (the audit), what escalation did by step, calls for help by minute, what was
-- stopped while it sounded.
-- $2 the regions whose people may be seen (calls for help from elsewhere are left out), $3 rows.
SELECT at, kind, what, n, who FROM (
    SELECT e.at, 'audit' AS kind, e.action AS what, 1 AS n, coalesce(a.name, '') AS who
    FROM audit_entry e LEFT JOIN account a ON a.id = e.account_id
    WHERE e.alert_id = $1 AND e.action NOT IN ('households.see', 'households.export', 'households.print', 'unit.confirm')
    UNION ALL
    SELECT min(l.at), 'escalation', l.action, count(*)::int, '' FROM escalation_log l WHERE l.alert_id = $1
    GROUP BY l.step, l.action, date_bin('1 minute', l.at, timestamptz '2020-01-01')
    UNION ALL
    SELECT min(q.created_at), 'help', 'asked', count(*)::int, '' FROM help_request q
    WHERE q.alert_id = $1 AND (q.region = '' OR EXISTS (SELECT 1 FROM unnest($2::text[]) AS s(code) WHERE starts_with(q.region, s.code)))
    GROUP BY date_bin('1 minute', q.created_at, timestamptz '2020-01-01')
    UNION ALL
    SELECT r.closed_at, 'run', r.state::text, 1, '' FROM run r WHERE r.alert_id = $1 AND r.closed_at IS NOT NULL
    UNION ALL
    SELECT min(s.at), 'silent', count(*)::text, sum(s.households)::int, '' FROM silent_terminal s WHERE s.alert_id = $1
    GROUP BY date_bin('1 minute', s.at, timestamptz '2020-01-01')
    UNION ALL
    SELECT coalesce(c.ended_at, c.asked_at), 'recall', c.state, c.told, g.name
    FROM recall c JOIN gateway g ON g.id = c.gateway_id WHERE c.alert_id = $1 AND (c.told > 0 OR c.state <> 'done')
) happened ORDER BY at DESC, kind LIMIT $3

-- name: map
-- The villages of the alert with their middle and outline.
SELECT k.region, coalesce(r.name, '') AS name, r.lon, r.lat, r.outline::text AS outline
FROM chunk k LEFT JOIN region r ON r.code = k.region
WHERE k.alert_id = $1 AND k.region <> '' ORDER BY k.region

-- name: grids
-- The grids of one village: households of the alert by state, and their middle.
SELECT t.region, coalesce(r.name, '') AS name, r.lon, r.lat, r.outline::text AS outline, count(*)::int AS total,
       (count(*) FILTER (WHERE t.state = 1))::int AS reached, (count(*) FILTER (WHERE t.state = 2))::int AS unreached
FROM target t LEFT JOIN region r ON r.code = t.region
WHERE t.village = $2 AND t.alert_id = $1
GROUP BY t.region, r.name, r.lon, r.lat, r.outline::text ORDER BY t.region

-- name: names
SELECT code, name FROM region WHERE code = ANY($1::text[])

-- name: marks
-- What tells one state of the page from another besides the counts: steps taken about silence, cries for help, reports from outside.
SELECT coalesce((SELECT max(id) FROM escalation_log WHERE alert_id = $1), 0)::bigint AS escalation,
       coalesce((SELECT sum(times) FROM help_request WHERE alert_id = $1), 0)::int AS cries,
       coalesce((SELECT max(id) FROM field_report WHERE alert_id = $1), 0)::bigint AS report

-- name: standing
-- A text that is another as soon as the alert, or what rules and sources are about to do with it, stands otherwise.
SELECT md5(concat_ws(' ', a.version, a.state, a.superseded_by, (
    SELECT string_agg(concat_ws(' ', e.id, e.state, e.due_at, s.state ->> 'eased'), ',' ORDER BY e.id)
    FROM rule_event e LEFT JOIN rule_standing s ON e.state = 'held' AND s.name = e.rule
    WHERE e.alert_id = a.id)))
FROM alert a WHERE a.id = $1

-- name: unreached
-- One page of the households that are not reached, behind (village $2, household $3), village by village. $4 the target
-- states asked for, $5 region prefix, $6 the regions that may be seen, $7 rows, $8 why (NULL: whatever the reason). Villages
-- come in order and no further than the page reaches; what else is shown is looked up for its rows alone.
WITH villages AS (
    SELECT k.region FROM chunk k
    WHERE k.alert_id = $1 AND k.region >= $2 AND k.region <> '' AND k.reached < k.households
      AND (starts_with(k.region, $5) OR starts_with($5, k.region))
    ORDER BY k.region OFFSET 0
), page AS MATERIALIZED (
    SELECT t.*, coalesce(d.state, '') AS door_task, coalesce(d.reason, '') AS reason, d.assignee_person_id
    FROM villages v
    CROSS JOIN LATERAL (
        SELECT t.village, t.household_id, t.region, t.state, t.risk FROM target t
        WHERE t.alert_id = $1 AND t.village = v.region AND (t.village, t.household_id) > ($2, $3)
          AND t.state = ANY($4::smallint[]) AND starts_with(t.region, $5)
          AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(t.region, scope))
        OFFSET 0
    ) t
    LEFT JOIN LATERAL (
        SELECT d.state, d.reason, d.assignee_person_id FROM door_task d
        WHERE d.alert_id = $1 AND d.household_id = t.household_id OFFSET 0
    ) d ON true
    WHERE $8::text IS NULL OR coalesce(d.reason, '') = $8
    ORDER BY v.region, t.household_id
    LIMIT $7
)
SELECT p.village, p.household_id, p.region, p.state, p.risk, h.name, h.address, h.tags,
       coalesce(v.name, '') AS village_name, coalesce(r.name, '') AS region_name,
       coalesce((SELECT array_agg(c.address ORDER BY c.priority, c.id) FROM contact c
                 WHERE c.household_id = p.household_id AND c.medium = 'phone' AND c.active), '{}') AS phones,
       p.door_task, p.reason, coalesce(w.name, '') AS assignee
FROM page p
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN region v ON v.code = p.village
LEFT JOIN region r ON r.code = p.region
LEFT JOIN person w ON w.id = p.assignee_person_id
ORDER BY p.village, p.household_id
