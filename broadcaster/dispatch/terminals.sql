-- Statements of loudspeakers. Codes are those of delivery.py.

-- name: plan
-- Every loudspeaker of the area, and every one that an earlier alert of the lineage was played on.
WITH chosen AS (
    SELECT h.id, h.address FROM terminal h WHERE h.active AND ({where})
    UNION
    SELECT h.id, h.address FROM terminal h WHERE h.id IN (
        SELECT d.terminal_id FROM batch b
        CROSS JOIN LATERAL (
            SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
        ) d
        WHERE b.lineage = $2 AND b.alert_id <> $1 AND b.channel = 'loudspeaker'
          AND (d.state IN (1, 4, 6) OR (d.state <> 5 AND d.attempts > 0) OR d.attempts > 1
               OR (d.state = 0 AND b.state IN (1, 3))))
), placed AS (
    SELECT id, address, (row_number() OVER (ORDER BY id) - 1)::int AS position FROM chosen
), reserved AS (
    UPDATE run_ordinal SET next = next + (SELECT count(*) FROM placed)::int WHERE alert_id = $1
    RETURNING next - (SELECT count(*) FROM placed)::int AS base
), numbered AS (
    SELECT id, address, base + position AS ordinal, base + position / $6 * $6 AS batch FROM placed, reserved
), written AS (
    INSERT INTO delivery (alert_id, ordinal, batch, terminal_id, address) SELECT $1, ordinal, batch, id, address FROM numbered
), cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, step, rehearsal, urgency, tier, seq, not_before)
    SELECT $1, batch, max(ordinal), $2, '', 'loudspeaker', 'public', 'zh-CN', 0, $3, $4, 1, 0, $5
    FROM numbered GROUP BY batch
), tallied AS (
    INSERT INTO tally (alert_id, first, queued) SELECT $1, batch, count(*) FROM numbered GROUP BY batch
)
SELECT count(*)::int AS deliveries FROM numbered

-- name: watched
-- The loudspeakers are looked at again at $2; never if $2 is NULL.
UPDATE chunk SET state = CASE WHEN $2::timestamptz IS NULL THEN 2 ELSE 1 END, next_at = coalesce($2, next_at)
WHERE alert_id = $1 AND region = ''

-- name: silent
-- At most $4 loudspeakers of alert $1 that have failed, or, if $3, of which there is no evidence, and whose villages are planned.
-- The homes of each that wait for evidence need not wait any longer: those in its region that no other, which is not known to be
-- silent, is nearer to. $5: the wait of each step of the policy, in seconds; whoever takes the last step waits all the same.
WITH silent AS MATERIALIZED (
    SELECT t.id, t.region_code, t.lon, t.lat
    FROM batch b
    CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    JOIN terminal t ON t.id = d.terminal_id
    WHERE b.alert_id = $1 AND b.channel = 'loudspeaker' AND (d.state = 5 OR ($3 AND d.state < 5))
      AND NOT EXISTS (SELECT 1 FROM silent_terminal s WHERE s.alert_id = $1 AND s.terminal_id = t.id)
      AND NOT EXISTS (
          SELECT 1 FROM chunk k WHERE k.alert_id = $1 AND k.state = 0 AND k.region <> ''
            AND (starts_with(k.region, t.region_code) OR starts_with(t.region_code, k.region)))
    ORDER BY d.ordinal LIMIT $4
), homes AS MATERIALIZED (
    SELECT DISTINCT ON (o.household_id) s.id AS terminal_id, k.region AS village, o.place
    FROM silent s
    JOIN chunk k ON k.alert_id = $1 AND k.state = 1 AND k.region <> ''
                AND (starts_with(k.region, s.region_code) OR starts_with(s.region_code, k.region))
    CROSS JOIN LATERAL (
        SELECT o.ctid AS place, o.household_id, o.region FROM target o
        WHERE o.alert_id = $1 AND o.village = k.region AND o.state = 0 AND o.step BETWEEN 1 AND cardinality($5::float8[]) - 1
        OFFSET 0
    ) o
    JOIN household h ON h.id = o.household_id
    WHERE starts_with(o.region, s.region_code) AND NOT EXISTS (
        SELECT 1 FROM terminal n
        WHERE n.active AND n.region_code IN (left(o.region, 6), left(o.region, 9), left(o.region, 12), o.region)
          AND n.id NOT IN (SELECT id FROM silent)
          AND NOT EXISTS (SELECT 1 FROM silent_terminal x WHERE x.alert_id = $1 AND x.terminal_id = n.id)
          AND ((n.lon - h.lon) * cos(radians(h.lat))) ^ 2 + (n.lat - h.lat) ^ 2
            < ((s.lon - h.lon) * cos(radians(h.lat))) ^ 2 + (s.lat - h.lat) ^ 2)
    ORDER BY o.household_id, s.id
), hurried AS (
    UPDATE target t SET step_at = LEAST(t.step_at, $2::timestamptz - make_interval(secs => ($5::float8[])[t.step]))
    FROM homes WHERE t.ctid = homes.place
), due AS (
    UPDATE chunk k SET next_at = LEAST(k.next_at, $2::timestamptz)
    FROM (SELECT DISTINCT village FROM homes) v WHERE k.alert_id = $1 AND k.region = v.village
), noted AS (
    INSERT INTO silent_terminal (alert_id, terminal_id, at, households)
    SELECT $1, s.id, $2, count(h.place) FROM silent s LEFT JOIN homes h ON h.terminal_id = s.id GROUP BY s.id
)
SELECT (SELECT count(*) FROM silent)::int AS terminals, (SELECT count(*) FROM homes)::int AS households

-- name: open
-- Whether of any loudspeaker of alert $1 it is not known yet whether it played; whether any has failed, and waits for its villages
-- to be planned.
SELECT coalesce(bool_or(d.state < 5), false) AS awaited,
       coalesce(bool_or(d.state = 5 AND NOT EXISTS (
           SELECT 1 FROM silent_terminal s WHERE s.alert_id = $1 AND s.terminal_id = d.terminal_id)), false) AS failed
FROM batch b
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
WHERE b.alert_id = $1 AND b.channel = 'loudspeaker'
