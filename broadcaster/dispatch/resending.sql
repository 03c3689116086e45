-- Sending again to households that were given up.

-- name: villages
-- Villages of alert $1 with households that were given up, inside any of the regions $2 or above one; the most at risk first.
SELECT k.region, k.rank, k.unreached FROM chunk k
WHERE k.alert_id = $1 AND k.unreached > 0 AND k.region <> ''
  AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS s(code) WHERE starts_with(k.region, s.code) OR starts_with(s.code, k.region))
ORDER BY k.rank

-- name: run
-- The run of an alert, kept as it is until the caller's transaction ends.
SELECT state, expires_at FROM run WHERE alert_id = $1 FOR SHARE

-- name: resend
-- Households of villages $2 (ranks $3) inside the regions $4 that were given up get one delivery per address on the channels
-- of their first step ($5 step, $6 channel, $7 contact medium, in their order), as step $8: one behind the policy's last, which
-- is for nobody who has been reached meanwhile. Who still has something under way from such a step is passed over, so doing it
-- twice sends once. The households stay given up, and their door tasks open, until there is evidence.
WITH numbers AS MATERIALIZED (
    {numbers}
), given_up AS MATERIALIZED (
    SELECT t.household_id, t.village, t.risk
    FROM unnest($2::text[]) AS v(village) CROSS JOIN LATERAL (
        SELECT t.household_id, t.village, t.region, t.risk FROM target t
        WHERE t.alert_id = $1 AND t.village = v.village AND t.state = 2 OFFSET 0
    ) t
    WHERE EXISTS (SELECT 1 FROM unnest($4::text[]) AS s(code) WHERE starts_with(t.region, s.code))
), under_way AS MATERIALIZED (
    SELECT d.household_id
    FROM batch b CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    WHERE b.alert_id = $1 AND b.region = ANY($2::text[]) AND b.step = $8 AND d.state IN (0, 1, 4)
), offered AS (
    SELECT g.household_id, array_position($2::text[], g.village) AS nth, g.risk, c.contact_id, c.address, c.step, c.channel,
           c.place, c.priority, c.language,
           {network} AS network
    FROM given_up g CROSS JOIN numbers CROSS JOIN LATERAL (
        SELECT c.id AS contact_id, c.address, c.priority, m.step, m.channel, m.place, coalesce(p.language, 'zh-CN') AS language
        FROM contact c
        JOIN unnest($5::int[], $6::text[], $7::text[]) WITH ORDINALITY AS m(step, channel, medium, place) ON m.medium = c.medium
        LEFT JOIN person p ON p.id = c.person_id
        WHERE c.household_id = g.household_id AND c.active
        OFFSET 0
    ) c
    WHERE g.household_id NOT IN (SELECT household_id FROM under_way WHERE household_id IS NOT NULL)
), addressed AS (
    SELECT DISTINCT ON (household_id, place, address) *, min(step) OVER (PARTITION BY household_id) AS first_step,
           CASE WHEN risk < $9 THEN 2 ELSE 3 END AS tier
    FROM offered ORDER BY household_id, place, address, priority
), placed AS (
    SELECT *, (row_number() OVER (PARTITION BY nth, tier, place, language, network ORDER BY risk, household_id, contact_id) - 1) % $10 AS part,
           (row_number() OVER (ORDER BY nth, tier, place, language, network, risk, household_id, contact_id) - 1)::int AS position
    FROM addressed WHERE step = first_step
), {numbered}, cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, network, step, rehearsal, urgency, tier, seq, not_before)
    SELECT $1, n.batch, max(n.ordinal), min(r.lineage), ($2::text[])[min(n.nth)], min(n.channel), 'public', min(n.language), min(n.network), $8,
           bool_and(r.rehearsal), min(r.urgency), min(n.tier), ($3::int[])[min(n.nth)], $11
    FROM numbered n JOIN run r ON r.alert_id = $1 GROUP BY n.batch
)
SELECT (SELECT count(DISTINCT household_id) FROM numbered)::int AS households, (SELECT count(*) FROM numbered)::int AS deliveries
