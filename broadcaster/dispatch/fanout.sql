-- Statements of the fan-out: who is a target, and the deliveries that each step of the policy adds.
--
-- An alert is new when these run: the statistics know nothing of it, and the planner takes each of its tables for one row. So
-- nothing here is left to estimates: what must be looked up by a key is a LATERAL subquery with OFFSET 0, which is never
-- turned into a join of its own; rows that were found are changed by their place (ctid), which nobody moves while the lock on
-- states is held.

-- name: open_chunks
-- One chunk per village of the audience, the most at risk first, ranked from behind $5, and how many households it will
-- have, about.
INSERT INTO chunk (alert_id, region, rank, expected, next_at)
SELECT $1, v.region, $5 + v.place, v.expected, $4
FROM unnest($2::text[], $3::int[]) WITH ORDINALITY AS v(region, expected, place)
ON CONFLICT DO NOTHING

-- name: rank_of_others
-- The rank up to which other open alerts of the same urgency ($1), on the same side of the wall ($2), have been sent: on the
-- channel on which most of theirs waits; up to which they are planned, where nothing does. A newcomer's ranks go on from
-- there, so that alerts of one colour take turns from the first village on: beginning at one, it would go before all that
-- is left of the others until it had caught up.
SELECT coalesce(
    (SELECT min(b.seq) FROM batch b JOIN run r ON r.alert_id = b.alert_id
     WHERE b.state = 0 AND b.claims = 0 AND b.urgency = $1 AND b.rehearsal = $2 AND b.tier = 3 AND r.state = 0
     GROUP BY b.channel ORDER BY count(*) DESC LIMIT 1),
    (SELECT min(k.rank) FROM chunk k JOIN run r ON r.alert_id = k.alert_id
     WHERE k.state = 0 AND r.state = 0 AND r.urgency = $1 AND r.rehearsal = $2),
    1) - 1

-- name: lineage_villages
-- Villages ('': loudspeakers) where an earlier alert of the lineage may have been heard. Earlier is every other one: a draft that was begun
-- before its predecessor was issued has the lower id.
SELECT k.region, max(k.households) AS households FROM chunk k JOIN run r ON r.alert_id = k.alert_id
WHERE r.lineage = $1 AND k.alert_id <> $2
GROUP BY k.region ORDER BY k.region

-- name: audience
-- The audience in villages $2 of alert $1, by the selection's own condition on `h`. The pattern operators take the index
-- whatever the collation; ':' follows '9', so the range is the prefix.
SELECT h.id AS household_id, v.village, h.region_code AS region, h.risk
FROM unnest($2::text[]) AS v(village)
CROSS JOIN LATERAL (
    SELECT h.id, h.region_code, h.risk FROM household h
    WHERE h.region_code ~>=~ v.village AND h.region_code ~<~ (v.village || ':') AND left(h.region_code, 12) = v.village AND ({where})
    OFFSET 0
) h

-- name: audience_of_lineage
-- The same, with everyone there whom an earlier alert of lineage $3 reached, or may have reached: what a courier holds may
-- be going out right now, and of several attempts one may have gone out although the last one failed. Who has moved to
-- another village of the audience since is found there.
SELECT DISTINCT ON (household_id) household_id, village, region, risk
FROM (
    SELECT a.*, 0 AS place FROM ({audience}) a
    UNION ALL
    SELECT t.household_id, t.village, t.region, t.risk, 1
    FROM run r CROSS JOIN unnest($2::text[]) AS v(village) CROSS JOIN LATERAL (
        SELECT * FROM target t WHERE t.alert_id = r.alert_id AND t.village = v.village OFFSET 0
    ) t
    WHERE r.lineage = $3 AND r.alert_id <> $1
      AND NOT EXISTS (SELECT 1 FROM household h WHERE h.id = t.household_id AND left(h.region_code, 12) <> t.village AND ({where}))
      AND (t.state = 1 OR t.household_id IN (
            SELECT d.household_id
            FROM batch b
            CROSS JOIN LATERAL (
                SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
            ) d
            WHERE b.lineage = $3 AND b.alert_id <> $1 AND b.region = ANY($2::text[]) AND d.household_id IS NOT NULL
              AND (d.state IN (1, 4, 6) OR (d.state <> 5 AND d.attempts > 0) OR d.attempts > 1
                   OR (d.state = 0 AND b.state IN (1, 3)))))
) both_sides
ORDER BY household_id, place, village

-- name: plan_new
-- The first visit to villages $2 (ranks $4) of alert $1 and lineage $3: every household of the audience becomes a target, and
-- gets one delivery per address on the channels of its first step, which is the first for which it has an address. The
-- steps' channels are $7 (step), $8 (channel), $9 (contact medium), in their order; $10 is each step's wait in seconds.
-- Who has no address for step 0 comes back (`late`), with the step taken: the number of steps if there is none at all.
-- One statement, so that each row is written once. Households are looked up village by village and addresses household by
-- household (OFFSET 0): a join would, by some statistics, read the whole roster for a few villages. Ordinals are contiguous, batches are ranges
-- of them within a village.
WITH numbers AS MATERIALIZED (
    {numbers}
), chosen AS MATERIALIZED (
    {audience}
), listed AS (
    INSERT INTO target (alert_id, household_id, village, region, risk, step, step_at)
    SELECT $1, household_id, village, region, risk, 1, $5 FROM chosen
    {known}
    RETURNING household_id, village, risk
), offered AS (
    SELECT t.household_id, array_position($2::text[], t.village) AS nth, t.risk,
           c.id AS contact_id, c.address, m.step, m.channel, m.place, c.priority,
           coalesce(CASE WHEN c.person_id IS NOT NULL THEN (SELECT p.language FROM person p WHERE p.id = c.person_id) END,
                    'zh-CN') AS language,
           {network} AS network
    FROM listed t CROSS JOIN numbers
    LEFT JOIN LATERAL (
        SELECT * FROM contact c WHERE c.household_id = t.household_id AND c.active OFFSET 0
    ) c ON true
    LEFT JOIN unnest($7::int[], $8::text[], $9::text[]) WITH ORDINALITY AS m(step, channel, medium, place) ON m.medium = c.medium
), addressed AS (
    SELECT DISTINCT ON (household_id, place, address) *, min(step) OVER (PARTITION BY household_id) AS first_step,
           CASE WHEN risk < $11 THEN 2 ELSE 3 END AS tier,
           (nth * 2 + (risk >= $11)::int) * 100 + place AS heap, language || network AS kind  -- village, tier, channel; language, network: what a batch has in common
    FROM offered ORDER BY household_id, place, address, priority
), placed AS (
    SELECT household_id, nth, contact_id, address, step, channel, tier, language, network,
           (row_number() OVER (PARTITION BY heap, kind COLLATE "C" ORDER BY risk, household_id, contact_id) - 1) % $12 AS part,
           (row_number() OVER (ORDER BY heap, kind COLLATE "C", risk, household_id, contact_id) - 1)::int AS position
    FROM addressed WHERE step = first_step
), {numbered}, cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, network, step, rehearsal, urgency, tier, seq, not_before)
    SELECT $1, batch, max(ordinal), $3, ($2::text[])[min(nth)], min(channel), 'public', min(language), min(network), min(step), $6, $13,
           min(tier), ($4::int[])[min(nth)], $5
    FROM numbered GROUP BY batch
), homes AS (
    SELECT nth, household_id, min(step) AS step FROM offered GROUP BY nth, household_id
), visited AS (
    UPDATE chunk k
    SET state = CASE WHEN v.soonest IS NULL THEN 2 ELSE 1 END, households = coalesce(v.households, 0),
        next_at = coalesce($5::timestamptz + make_interval(secs => v.soonest), k.next_at)
    FROM (
        SELECT n.village, h.households, h.soonest
        FROM unnest($2::text[]) WITH ORDINALITY AS n(village, nth)
        LEFT JOIN (
            SELECT nth, count(*)::int AS households, min(($10::float8[])[step + 1]) AS soonest FROM homes GROUP BY nth
        ) h USING (nth)
    ) v
    WHERE k.alert_id = $1 AND k.region = v.village
), late AS (
    SELECT household_id, coalesce(step + 1, cardinality($10::float8[])) AS step FROM homes WHERE step IS DISTINCT FROM 0
)
SELECT (SELECT count(*) FROM placed)::int AS deliveries,
       (SELECT coalesce(array_agg(household_id), '{{}}') FROM late) AS late,
       (SELECT coalesce(array_agg(step), '{{}}') FROM late) AS steps

-- name: numbered
-- A piece of the statements that write deliveries to households, behind their `placed`: each gets its ordinal, contiguous with the
-- others', is written, and is counted in its batch, a range of ordinals whose row the statement adds itself.
reserved AS (
    UPDATE run_ordinal SET next = next + (SELECT count(*) FROM placed)::int WHERE alert_id = $1
    RETURNING next - (SELECT count(*) FROM placed)::int AS base
), numbered AS (
    SELECT placed.*, base + position AS ordinal, (base + position - part)::int AS batch FROM placed, reserved
), written AS (
    INSERT INTO delivery (alert_id, ordinal, batch, household_id, contact_id, address)
    SELECT $1, ordinal, batch, household_id, contact_id, address FROM numbered ORDER BY ordinal
), tallied AS (
    INSERT INTO tally (alert_id, first, queued) SELECT $1, batch, count(*) FROM numbered GROUP BY batch
)

-- name: steps_taken
-- Households $2 that began with a later step, or had none to begin with.
UPDATE target t SET step = f.step
FROM (
    SELECT n.step, t.place FROM unnest($2::bigint[], $3::int[]) AS n(household_id, step)
    CROSS JOIN LATERAL (
        SELECT t.ctid AS place FROM target t WHERE t.alert_id = $1 AND t.household_id = n.household_id OFFSET 0
    ) t
) f
WHERE t.ctid = f.place

-- name: plan_step
-- Households of villages $2 (ranks $13) that are due for step $4 of the policy get one delivery per address on the step's
-- channels. Targets and deliveries meet in one aggregate, not a join, so that no plan is quadratic in a fresh table's
-- statistics. Due: all of the step before failed; or its wait is over with nothing left to send; or three waits are over
-- whatever is left. Ordinals are contiguous, batches are ranges of them within a village.
WITH numbers AS MATERIALIZED (
    {numbers}
), pending AS MATERIALIZED (
    SELECT household_id, bool_or(unsent) AS unsent, bool_or(waiting) AS waiting, max(step_at) AS step_at
    FROM (
        SELECT o.household_id, true AS mine, false AS unsent, false AS waiting, o.step_at
        FROM unnest($2::text[]) AS v(village) CROSS JOIN LATERAL (
            SELECT o.household_id, o.step_at FROM target o
            WHERE o.alert_id = $1 AND o.village = v.village AND o.state = 0 AND o.step = $4 OFFSET 0
        ) o
        UNION ALL
        SELECT d.household_id, false, d.state IN (0, 1), d.state = 4, NULL
        FROM batch b
        CROSS JOIN LATERAL (
            SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
        ) d
        WHERE b.alert_id = $1 AND b.region = ANY($2::text[]) AND b.step = $4 - 1 AND d.household_id IS NOT NULL
    ) both_sides
    GROUP BY household_id HAVING bool_or(mine)
), ripe AS (
    SELECT t.place
    FROM pending p CROSS JOIN LATERAL (
        SELECT t.ctid AS place FROM target t WHERE t.alert_id = $1 AND t.household_id = p.household_id OFFSET 0
    ) t
    WHERE NOT (p.unsent OR p.waiting)
       OR (NOT p.unsent AND p.step_at + make_interval(secs => $5) <= $3)
       OR p.step_at + make_interval(secs => 3 * $5) <= $3
), due AS (
    UPDATE target t SET step = $4 + 1, step_at = $3 FROM ripe WHERE t.ctid = ripe.place
    RETURNING t.household_id, t.village, t.risk
), addressed AS (
    SELECT DISTINCT ON (due.household_id, c.place, c.address)
           due.household_id, array_position($2::text[], due.village) AS nth, c.contact_id, c.address, c.channel, c.place,
           due.risk, CASE WHEN due.risk < $11 THEN 2 ELSE 3 END AS tier, c.language,
           {network} AS network
    FROM due CROSS JOIN numbers CROSS JOIN LATERAL (
        SELECT c.id AS contact_id, c.address, c.priority, m.channel, m.place, coalesce(p.language, 'zh-CN') AS language
        FROM contact c
        JOIN unnest($6::text[], $7::text[]) WITH ORDINALITY AS m(channel, medium, place) ON m.medium = c.medium
        LEFT JOIN person p ON p.id = c.person_id
        WHERE c.household_id = due.household_id AND c.active
        OFFSET 0
    ) c
    ORDER BY due.household_id, c.place, c.address, c.priority
), placed AS (
    SELECT *, (row_number() OVER (PARTITION BY nth, tier, place, language, network ORDER BY risk, household_id, contact_id) - 1) % $12 AS part,
           (row_number() OVER (ORDER BY nth, tier, place, language, network, risk, household_id, contact_id) - 1)::int AS position
    FROM addressed
), {numbered}, cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, network, step, rehearsal, urgency, tier, seq, not_before)
    SELECT $1, batch, max(ordinal), $8, ($2::text[])[min(nth)], min(channel), 'public', min(language), min(network), $4, $9, $10, min(tier),
           ($13::int[])[min(nth)], $3
    FROM numbered GROUP BY batch
)
SELECT (SELECT count(*) FROM due)::int AS households, (SELECT count(*) FROM numbered)::int AS deliveries

-- name: give_up
-- Households of villages $2 that went through every step without evidence become unreached, and a door task for the grid.
WITH pending AS MATERIALIZED (
    SELECT household_id, bool_or(unsent) AS unsent, bool_or(waiting) AS waiting, bool_or(tried) AS tried,
           max(step_at) AS step_at
    FROM (
        SELECT o.household_id, true AS mine, false AS unsent, false AS waiting, false AS tried, o.step_at
        FROM unnest($2::text[]) AS v(village) CROSS JOIN LATERAL (
            SELECT o.household_id, o.step_at FROM target o
            WHERE o.alert_id = $1 AND o.village = v.village AND o.state = 0 AND o.step >= $4 OFFSET 0
        ) o
        UNION ALL
        SELECT d.household_id, false, b.step = $4 - 1 AND d.state IN (0, 1), b.step = $4 - 1 AND d.state = 4, true, NULL
        FROM batch b
        CROSS JOIN LATERAL (
            SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
        ) d
        WHERE b.alert_id = $1 AND b.region = ANY($2::text[]) AND d.household_id IS NOT NULL
    ) both_sides
    GROUP BY household_id HAVING bool_or(mine)
), ripe AS (
    SELECT t.place, p.waiting, p.tried
    FROM pending p CROSS JOIN LATERAL (
        SELECT t.ctid AS place FROM target t WHERE t.alert_id = $1 AND t.household_id = p.household_id OFFSET 0
    ) t
    WHERE NOT (p.unsent OR p.waiting)
       OR (NOT p.unsent AND p.step_at + make_interval(secs => $5) <= $3)
       OR p.step_at + make_interval(secs => 3 * $5) <= $3
), lost AS (
    UPDATE target t SET state = 2 FROM ripe WHERE t.ctid = ripe.place
    RETURNING t.village, t.household_id, t.region, ripe.waiting, ripe.tried
), tasks AS (
    INSERT INTO door_task (alert_id, household_id, region, assignee_person_id, reason, created_at)
    SELECT $1, lost.household_id, lost.region, duty.person_id,
           CASE WHEN NOT lost.tried THEN 'no_contact' WHEN lost.waiting THEN 'no_evidence' ELSE 'all_failed' END, $3
    FROM lost
    LEFT JOIN LATERAL (
        SELECT u.person_id FROM duty u
        WHERE u.region_code = lost.region AND u.role IN ('grid_member', 'grid_leader')
          AND u.valid_from <= $3 AND (u.valid_to IS NULL OR u.valid_to > $3)
        ORDER BY u.role DESC, u.rank DESC, u.id LIMIT 1
    ) duty ON true
    ON CONFLICT (alert_id, household_id) DO NOTHING
), counted AS (
    UPDATE chunk k SET unreached = k.unreached + l.n
    FROM (SELECT village, count(*)::int AS n FROM lost GROUP BY village) l
    WHERE k.alert_id = $1 AND k.region = l.village
)
SELECT count(*)::int AS households FROM lost

-- name: next_visit
-- When each of villages $2 must be looked at again: the soonest wait that ends; nothing pending means never.
UPDATE chunk k
SET state = CASE WHEN x.soonest IS NULL THEN 2 ELSE 1 END, next_at = coalesce(x.soonest, k.next_at)
FROM (
    SELECT v.village, min(CASE WHEN t.step_at + make_interval(secs => ($4::float8[])[t.step]) > $3::timestamptz
                               THEN t.step_at + make_interval(secs => ($4::float8[])[t.step])
                               ELSE $3::timestamptz + interval '5 seconds' END) AS soonest
    FROM unnest($2::text[]) AS v(village)
    LEFT JOIN LATERAL (
        SELECT t.step_at, t.step FROM target t WHERE t.alert_id = $1 AND t.village = v.village AND t.state = 0 OFFSET 0
    ) t ON true
    GROUP BY v.village
) x
WHERE k.alert_id = $1 AND k.region = x.village

-- name: new_chunk
-- The next village to plan, and how many households it will have.
SELECT k.alert_id, k.region, k.expected
FROM chunk k JOIN run r ON r.alert_id = k.alert_id
WHERE k.state = 0 AND k.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
ORDER BY r.urgency, k.rank, k.alert_id
LIMIT 1
FOR UPDATE OF k SKIP LOCKED

-- name: due_chunk_exists
SELECT EXISTS (
    SELECT 1 FROM chunk k JOIN run r ON r.alert_id = k.alert_id
    WHERE k.state = 1 AND k.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
)

-- name: due_chunk
-- The next village to look at again, and how many households it has.
SELECT k.alert_id, k.region, k.households AS expected
FROM chunk k JOIN run r ON r.alert_id = k.alert_id
WHERE k.state = 1 AND k.next_at <= $1 AND r.state = 0 AND r.expires_at > $1
ORDER BY r.urgency, k.next_at, k.alert_id
LIMIT 1
FOR UPDATE OF k SKIP LOCKED

-- name: beside
-- Up to $4 villages of alert $2 that are as due as the one just found (state $3), that one first: visited together, small
-- villages cost no more a household than large ones. A worker that dies here leaves them as they were.
SELECT k.region, k.rank FROM chunk k
WHERE k.alert_id = $2 AND k.state = $3 AND k.next_at <= $1 AND k.region <> ''
ORDER BY k.rank
LIMIT $4
FOR UPDATE SKIP LOCKED

-- name: enqueue_units
-- Deliveries to duty holders, ahead of everything else of their alert.
WITH numbers AS MATERIALIZED (
    {numbers}
), asked AS (
    SELECT row_number() OVER (ORDER BY channel, unit_id, contact_id) - 1 AS n, unit_id, channel, contact_id, address, language,
           {network} AS network
    FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[]) AS c(unit_id, channel, contact_id, address, language)
    CROSS JOIN numbers
), placed AS (
    SELECT *, (row_number() OVER (PARTITION BY channel, language, network ORDER BY n) - 1) / $8 AS part,
           (row_number() OVER (ORDER BY channel, language, network, n) - 1)::int AS position
    FROM asked
), reserved AS (
    UPDATE run_ordinal SET next = next + (SELECT count(*) FROM placed)::int WHERE alert_id = $1
    RETURNING next - (SELECT count(*) FROM placed)::int AS base
), numbered AS (
    SELECT placed.*, base + position AS ordinal, base + min(position) OVER (PARTITION BY channel, language, network, part) AS batch
    FROM placed, reserved
), written AS (
    INSERT INTO delivery (alert_id, ordinal, batch, unit_id, contact_id, address)
    SELECT $1, ordinal, batch, unit_id, contact_id, address FROM numbered
), cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, network, step, rehearsal, urgency, tier, seq, not_before)
    SELECT $1, x.batch, x.last, r.lineage, '', x.channel, 'unit', x.language, x.network, 0, r.rehearsal, r.urgency, 0, 0, $7
    FROM (
        SELECT batch, max(ordinal) AS last, min(channel) AS channel, min(language) AS language, min(network) AS network
        FROM numbered GROUP BY batch
    ) x
    JOIN run r ON r.alert_id = $1
), tallied AS (
    INSERT INTO tally (alert_id, first, queued) SELECT $1, batch, count(*) FROM numbered GROUP BY batch
)
SELECT count(*)::int AS deliveries FROM numbered
