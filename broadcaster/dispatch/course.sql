-- The course of an alert over time, derived from its rows.

-- name: run
SELECT r.opened_at, (SELECT coalesce(sum(households), 0)::int FROM chunk WHERE alert_id = $1) AS households
FROM run r WHERE r.alert_id = $1

-- name: seconds
-- By seconds since $2: deliveries taken by a gateway, delivered, failed; households reached; when the first was taken and the
-- last was reached in that second. One pass over each table, no sort.
WITH told AS (
    SELECT date_bin('1 second', submitted_at, $2::timestamptz) AS submitted, date_bin('1 second', settled_at, $2::timestamptz) AS settled,
           state, count(*) AS n, min(submitted_at) AS first
    FROM delivery WHERE alert_id = $1 AND state >= 4 GROUP BY 1, 2, 3
), homes AS (
    SELECT date_bin('1 second', reached_at, $2::timestamptz) AS at, count(*) AS n, max(reached_at) AS last
    FROM target WHERE alert_id = $1 AND state = 1 AND reached_at IS NOT NULL GROUP BY 1
)
SELECT at, sum(submitted)::int AS submitted, sum(delivered)::int AS delivered, sum(failed)::int AS failed,
       sum(reached)::int AS reached, min(first) AS first, max(last) AS last
FROM (
    SELECT submitted AS at, n AS submitted, 0 AS delivered, 0 AS failed, 0 AS reached, first, NULL::timestamptz AS last
    FROM told WHERE submitted IS NOT NULL
    UNION ALL
    SELECT settled, 0, CASE WHEN state = 6 THEN n ELSE 0 END, CASE WHEN state = 5 THEN n ELSE 0 END, 0, NULL, NULL
    FROM told WHERE settled IS NOT NULL AND state > 4
    UNION ALL
    SELECT at, 0, 0, 0, n, NULL, last FROM homes
) happened GROUP BY at ORDER BY at

-- name: kept_course
SELECT at, submitted, delivered, failed, reached FROM archived_course WHERE alert_id = $1 ORDER BY at

-- name: kept_marks
SELECT a.first_submit_at, a.reached_half_at, a.reached_most_at, a.reached_all_but_at, r.opened_at
FROM archive a JOIN run r USING (alert_id) WHERE a.alert_id = $1

-- name: keep_course
INSERT INTO archived_course (alert_id, at, submitted, delivered, failed, reached)
SELECT $1, * FROM unnest($2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::int[])

-- name: keep_marks
UPDATE archive SET first_submit_at = $2, reached_half_at = $3, reached_most_at = $4, reached_all_but_at = $5 WHERE alert_id = $1
