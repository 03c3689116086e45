-- Statements of what responsible people do outside: who stands behind a link, what they report, and whose doors they knock on.

-- name: post
-- The unit that a message asked, and whom it asked.
SELECT d.alert_id, d.ordinal, u.id AS unit_id, u.region, u.role, u.state AS unit_state, coalesce(g.name, '') AS place, c.person_id,
       r.expires_at, coalesce(r.state = 0 AND r.expires_at > $3, false) AS open
FROM delivery d
JOIN unit u ON u.id = d.unit_id
LEFT JOIN run r ON r.alert_id = d.alert_id
LEFT JOIN contact c ON c.id = d.contact_id
LEFT JOIN region g ON g.code = u.region
WHERE d.alert_id = $1 AND d.ordinal = $2

-- name: report
INSERT INTO field_report (alert_id, unit_id, person_id, key, moved, refused, away, note, reported_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (key) DO NOTHING
RETURNING id

-- name: moved_now
-- Beside the confirmation stands the latest number of people moved.
UPDATE unit SET moved = $2 WHERE id = $1 AND state = 'acknowledged'

-- name: figures
-- What one unit has reported so far.
SELECT (array_agg(f.moved ORDER BY f.id DESC) FILTER (WHERE f.moved IS NOT NULL))[1] AS moved,
       (array_agg(f.refused ORDER BY f.id DESC) FILTER (WHERE f.refused IS NOT NULL))[1] AS refused,
       (array_agg(f.away ORDER BY f.id DESC) FILTER (WHERE f.away IS NOT NULL))[1] AS away,
       max(f.reported_at) AS reported_at,
       (SELECT count(*)::int FROM field_photo p WHERE p.alert_id = $1 AND p.unit_id = $2) AS photos
FROM field_report f WHERE f.alert_id = $1 AND f.unit_id = $2

-- name: reports
-- What each unit reported, who was heard last first. $1 alert, $2 the regions that may be seen, $3 rows.
WITH said AS (
    SELECT f.unit_id,
           (array_agg(f.moved ORDER BY f.id DESC) FILTER (WHERE f.moved IS NOT NULL))[1] AS moved,
           (array_agg(f.refused ORDER BY f.id DESC) FILTER (WHERE f.refused IS NOT NULL))[1] AS refused,
           (array_agg(f.away ORDER BY f.id DESC) FILTER (WHERE f.away IS NOT NULL))[1] AS away,
           (array_agg(f.note ORDER BY f.id DESC) FILTER (WHERE f.note <> ''))[1] AS note,
           (array_agg(f.person_id ORDER BY f.id DESC))[1] AS person_id,
           max(f.reported_at) AS at
    FROM field_report f WHERE f.alert_id = $1 GROUP BY f.unit_id
), pictured AS (
    SELECT p.unit_id, array_agg(p.id ORDER BY p.id DESC) AS photos, (array_agg(p.person_id ORDER BY p.id DESC))[1] AS person_id,
           max(p.stored_at) AS at
    FROM field_photo p WHERE p.alert_id = $1 GROUP BY p.unit_id
)
SELECT u.id AS unit_id, u.region, coalesce(r.name, '') AS region_name, u.role, s.moved, s.refused, s.away,
       coalesce(s.note, '') AS note, coalesce(n.name, '') AS reported_by, greatest(s.at, p.at) AS reported_at,
       coalesce(p.photos, '{}') AS photos
FROM said s FULL JOIN pictured p USING (unit_id)
JOIN unit u ON u.id = unit_id
LEFT JOIN region r ON r.code = u.region
LEFT JOIN person n ON n.id = CASE WHEN p.at > s.at OR s.at IS NULL THEN p.person_id ELSE s.person_id END
WHERE EXISTS (SELECT 1 FROM unnest($2::text[]) AS scope WHERE starts_with(u.region, scope))
ORDER BY reported_at DESC, u.id
LIMIT $3

-- name: lock_unit
SELECT 1 FROM unit WHERE id = $1 FOR UPDATE

-- name: photo_known
SELECT 1 FROM field_photo WHERE key = $1

-- name: photos_of
SELECT count(*)::int FROM field_photo WHERE alert_id = $1 AND unit_id = $2

-- name: photo
WITH listed AS (
    INSERT INTO field_photo (alert_id, unit_id, person_id, key, bytes, width, height, stored_at)
    VALUES ($1, $2, $3, $4, octet_length($5::bytea), $6, $7, $8) RETURNING alert_id, id
)
INSERT INTO field_picture (alert_id, photo_id, data) SELECT alert_id, id, $5::bytea FROM listed

-- name: picture
-- A photo, NULL where it has left for the archive. $3 the regions that may be seen.
SELECT i.data FROM field_photo p JOIN unit u ON u.id = p.unit_id
LEFT JOIN field_picture i ON i.alert_id = p.alert_id AND i.photo_id = p.id
WHERE p.alert_id = $1 AND p.id = $2 AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS scope WHERE starts_with(u.region, scope))

-- name: by_risk
-- Open door tasks inside region $2, the most at risk first, behind (risk $3, household $4); $5 rows. For a village, or a town.
SELECT d.alert_id, d.household_id, d.region, t.risk
FROM door_task d JOIN target t ON t.alert_id = d.alert_id AND t.household_id = d.household_id
WHERE d.alert_id = $1 AND d.state = 'open' AND d.region COLLATE "C" >= $2 AND d.region COLLATE "C" < $2 || ':'
  AND (t.risk, d.household_id) > ($3::int, $4::bigint)
ORDER BY t.risk, d.household_id LIMIT $5

-- name: by_place
-- Open door tasks inside region $2 and the regions $6, place by place, behind (region $3, household $4); $5 rows. For any area.
SELECT d.alert_id, d.household_id, d.region, t.risk
FROM door_task d JOIN target t ON t.alert_id = d.alert_id AND t.household_id = d.household_id
WHERE d.alert_id = $1 AND d.state = 'open' AND d.region COLLATE "C" >= $2 AND d.region COLLATE "C" < $2 || ':'
  AND (d.region COLLATE "C", d.household_id) > ($3::text, $4::bigint)
  AND EXISTS (SELECT 1 FROM unnest($6::text[]) AS scope WHERE starts_with(d.region, scope))
ORDER BY d.region COLLATE "C", d.household_id LIMIT $5

-- name: doors
-- What one must know before knocking; only of the few doors that were picked.
SELECT d.household_id, d.risk, d.region, coalesce(g.name, '') AS region_name, coalesce(h.name, '') AS name,
       coalesce(h.address, '') AS address, coalesce(h.tags, '{{}}') AS tags, coalesce(h.size, 0) AS size,
       coalesce((SELECT array_agg(c.address ORDER BY c.priority, c.id) FROM contact c
                 WHERE c.household_id = d.household_id AND c.medium = 'phone' AND c.active), '{{}}') AS phones,
       v.visits, v.visited_at
FROM ({picked}) d
LEFT JOIN household h ON h.id = d.household_id
LEFT JOIN region g ON g.code = d.region
CROSS JOIN LATERAL (
    SELECT count(*)::int AS visits, max(w.visited_at) AS visited_at FROM door_visit w
    WHERE w.alert_id = d.alert_id AND w.household_id = d.household_id AND w.result <> 'withdrawn'
      AND NOT EXISTS (SELECT 1 FROM door_visit x WHERE x.corrects = w.id)
) v

-- name: doors_left
SELECT count(*)::int FROM door_task d
WHERE d.alert_id = $1 AND d.state = 'open' AND d.region COLLATE "C" >= $2 AND d.region COLLATE "C" < $2 || ':'

-- name: door
-- A door inside the regions $3, whatever has become of it, and whether its alert still asks at $4.
SELECT d.region, r.state = 0 AND r.expires_at > $4 AS open FROM door_task d JOIN run r ON r.alert_id = d.alert_id
WHERE d.alert_id = $1 AND d.household_id = $2
  AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS scope WHERE starts_with(d.region, scope))

-- name: visit
INSERT INTO door_visit (alert_id, household_id, unit_id, person_id, written_by, key, result, note, visited_at, corrects)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (key) DO NOTHING
RETURNING id

-- name: visit_named
SELECT id FROM door_visit WHERE key = $1

-- name: visit_to_correct
-- One visit, by whom, and whether another has taken its place.
SELECT v.household_id, v.result, v.person_id, v.written_by,
       EXISTS (SELECT 1 FROM door_visit c WHERE c.corrects = v.id) AS corrected
FROM door_visit v WHERE v.alert_id = $1 AND v.id = $2

-- name: corrections
-- How often somebody has put right what they wrote down of a door.
SELECT count(*)::int FROM door_visit v
WHERE v.alert_id = $1 AND v.household_id = $2 AND v.corrects IS NOT NULL
  AND v.person_id IS NOT DISTINCT FROM $3 AND v.written_by IS NOT DISTINCT FROM $4

-- name: told_at_door
-- Whether, by what stands, somebody of the household was told at its door.
SELECT EXISTS (
    SELECT 1 FROM door_visit v
    WHERE v.alert_id = $1 AND v.household_id = $2 AND v.result IN ('done', 'refused', 'help')
      AND NOT EXISTS (SELECT 1 FROM door_visit c WHERE c.corrects = v.id)
)

-- name: visits_of
-- What person $2 wrote down of doors and stands, the latest first; $3 rows.
SELECT v.id, v.household_id, v.result, v.note, v.visited_at, coalesce(h.name, '') AS name, coalesce(h.address, '') AS address,
       coalesce(g.name, '') AS region_name, '' AS visitor, true AS own, false AS corrected
FROM door_visit v
LEFT JOIN household h ON h.id = v.household_id
LEFT JOIN door_task d ON d.alert_id = v.alert_id AND d.household_id = v.household_id
LEFT JOIN region g ON g.code = d.region
WHERE v.alert_id = $1 AND v.person_id = $2 AND v.result <> 'withdrawn'
  AND NOT EXISTS (SELECT 1 FROM door_visit c WHERE c.corrects = v.id)
ORDER BY v.id DESC LIMIT $3

-- name: visits_in
-- What was written down of doors inside region $2 and the regions $3, the latest first, what was put right among it; $4 who asks,
-- $5 rows.
SELECT v.id, v.household_id, v.result, v.note, v.visited_at, coalesce(h.name, '') AS name, coalesce(h.address, '') AS address,
       coalesce(g.name, '') AS region_name, coalesce(p.name, v.written_by, '') AS visitor,
       v.written_by IS NOT DISTINCT FROM $4::text AS own, EXISTS (SELECT 1 FROM door_visit c WHERE c.corrects = v.id) AS corrected
FROM door_visit v
JOIN door_task d ON d.alert_id = v.alert_id AND d.household_id = v.household_id
LEFT JOIN household h ON h.id = v.household_id
LEFT JOIN region g ON g.code = d.region
LEFT JOIN person p ON p.id = v.person_id
WHERE v.alert_id = $1 AND starts_with(d.region, $2)
  AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS scope WHERE starts_with(d.region, scope))
ORDER BY v.id DESC LIMIT $5

-- name: open_door
-- A door that such a visit had closed, and nothing else would have, is to be knocked on again.
UPDATE door_task d SET state = 'open', closed_at = NULL
WHERE d.alert_id = $1 AND d.household_id = $2 AND d.state = 'done'
  AND d.closed_at IN (
      SELECT v.visited_at FROM door_visit v
      WHERE v.alert_id = $1 AND v.household_id = $2 AND v.result IN ('done', 'refused', 'help'))
  AND NOT EXISTS (
      SELECT 1 FROM target t
      WHERE t.alert_id = $1 AND t.household_id = $2 AND t.state = 1 AND (t.late OR t.reached_by = 'response'))

-- name: help_corrected
-- The call stays open: the desk decides. It reads that whoever raised it at the door has taken it back.
UPDATE help_request SET text = left(text || ' · ' || $3, 2000)
WHERE alert_id = $1 AND household_id = $2 AND state = 'open'

-- name: close_door
UPDATE door_task SET state = 'done', closed_at = $3 WHERE alert_id = $1 AND household_id = $2 AND state = 'open'

-- name: help_at_door
-- As a cry of the household; what it wrote itself is not lost. The index is help_request_open.
INSERT INTO help_request (alert_id, household_id, person_id, region, text, created_at)
SELECT $1::int, $2::bigint, $3::bigint, coalesce((SELECT h.region_code FROM household h WHERE h.id = $2), ''), $4::text, $5::timestamptz
ON CONFLICT (coalesce(alert_id, 0), coalesce(household_id, 0), coalesce(unit_id, 0),
             (CASE WHEN household_id IS NULL AND unit_id IS NULL THEN address ELSE '' END)) WHERE state = 'open'
DO UPDATE SET times = help_request.times + 1, repeated_at = excluded.created_at,
    text = CASE WHEN strpos(help_request.text, excluded.text) > 0 THEN help_request.text
                ELSE left(help_request.text || ' · ' || excluded.text, 2000) END
RETURNING id, region
