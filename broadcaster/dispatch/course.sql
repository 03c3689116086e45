-- The course of an alert over time, derived from its rows.

-- name: course
-- By spans of $2 since $3: deliveries taken by a gateway, delivered, failed; households reached. One pass over each table.
WITH happened AS (
    SELECT date_bin($2::interval, d.submitted_at, $3::timestamptz) AS at, 1 AS submitted, 0 AS delivered, 0 AS failed, 0 AS reached
    FROM delivery d WHERE d.alert_id = $1 AND d.submitted_at IS NOT NULL
    UNION ALL
    SELECT date_bin($2::interval, d.settled_at, $3::timestamptz), 0, (d.state = 6)::int, (d.state = 5)::int, 0
    FROM delivery d WHERE d.alert_id = $1 AND d.state IN (5, 6) AND d.settled_at IS NOT NULL
    UNION ALL
    SELECT date_bin($2::interval, t.reached_at, $3::timestamptz), 0, 0, 0, 1
    FROM target t WHERE t.alert_id = $1 AND t.state = 1 AND t.reached_at IS NOT NULL
)
SELECT at, sum(submitted)::int AS submitted, sum(delivered)::int AS delivered,
       sum(failed)::int AS failed, sum(reached)::int AS reached
FROM happened GROUP BY 1 ORDER BY 1

-- name: marks
-- When the first message was taken by a gateway, and when so many households had been reached as $2 says, each.
SELECT (SELECT min(submitted_at) FROM delivery WHERE alert_id = $1) AS first_submit_at,
       (SELECT array_agg(m.at ORDER BY w.place) FROM unnest($2::int[]) WITH ORDINALITY AS w(nth, place) LEFT JOIN (
            SELECT row_number() OVER (ORDER BY reached_at) AS nth, reached_at AS at
            FROM target WHERE alert_id = $1 AND state = 1 AND reached_at IS NOT NULL
        ) m ON m.nth = w.nth) AS reached_at

-- name: ends
-- When the run began, when the last thing happened to it, and how many households it has.
SELECT r.opened_at,
       GREATEST((SELECT max(submitted_at) FROM delivery WHERE alert_id = $1), (SELECT max(settled_at) FROM delivery WHERE alert_id = $1),
                (SELECT max(reached_at) FROM target WHERE alert_id = $1)) AS last_at,
       (SELECT coalesce(sum(households), 0)::int FROM chunk WHERE alert_id = $1) AS households
FROM run r WHERE r.alert_id = $1

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
