-- Statements of the planner: an alert's audience counted, never listed.

-- name: homes
-- Households by village and vulnerability (risk below $1), by which kinds of address they have, with how many of each.
-- The join goes household by household in the order of their ids, along the indexes of both, so that nothing is sorted.
WITH home AS (
    SELECT h.id, left(h.region_code, 12) AS village, h.risk < $1 AS vulnerable,
           count(*) FILTER (WHERE c.medium = 'phone') AS phone,
           count(*) FILTER (WHERE c.medium = 'wechat') AS wechat,
           count(*) FILTER (WHERE c.medium = 'email') AS email
    FROM household h LEFT JOIN contact c ON c.household_id = h.id AND c.active
    WHERE {where}
    GROUP BY h.id
), counted AS (
    SELECT village, vulnerable, phone > 0 AS has_phone, wechat > 0 AS has_wechat, email > 0 AS has_email,
           count(*)::int AS households, sum(phone)::int AS phone, sum(wechat)::int AS wechat, sum(email)::int AS email
    FROM home GROUP BY 1, 2, 3, 4, 5
)
SELECT coalesce(r.name, '') AS place, counted.* FROM counted LEFT JOIN region r ON r.code = counted.village

-- name: told_before
-- A condition on `h`: whom an earlier alert of lineage $2 addressed. An upper bound of whom its successor goes to besides its
-- own area, which are those that were reached or may have been.
h.id IN (
    SELECT t.household_id FROM run r JOIN target t ON t.alert_id = r.alert_id WHERE r.lineage = $2 AND r.alert_id <> $3
)

-- name: terminals
-- Loudspeakers of the area, and those that an earlier alert of lineage $1 was to be played on; $2 is the alert itself.
SELECT count(*)::int FROM (
    SELECT t.id FROM terminal t WHERE {where}
    UNION
    SELECT d.terminal_id FROM batch b
    CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    WHERE b.lineage = $1 AND b.alert_id <> $2 AND b.channel = 'loudspeaker'
) t

-- name: waiting
-- Messages of other alerts that are still to be sent, by channel: as urgent as $3 or more, on the same side of the wall
-- between drills and the real thing ($2). What belongs to lineage $1 is not waited for: it will be replaced.
SELECT b.channel, sum(y.queued + y.unknown)::int AS messages
FROM batch b JOIN run r ON r.alert_id = b.alert_id JOIN tally y ON y.alert_id = b.alert_id AND y.first = b.first
WHERE b.state IN (0, 1) AND r.state = 0 AND b.lineage <> $1 AND b.rehearsal = $2 AND b.urgency <= $3
GROUP BY b.channel
