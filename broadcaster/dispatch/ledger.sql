-- Statements of the ledger. Codes are those of delivery.py:
-- delivery 0 queued, 1 unknown, 2 expired, 3 cancelled, 4 submitted, 5 failed, 6 delivered;
-- target 0 pending, 1 reached, 2 unreached; batch 0 ready, 1 leased, 2 settled, 3 released; run 0 open.

-- name: claim
-- The most urgent ready batches of a channel. Taking the run FOR SHARE makes a supersession wait for claims under way, and
-- claims after it see the run closed; together with the busy check nothing of a later alert starts while an earlier one
-- of its lineage may still be sending on that channel (only one run of a lineage is open, so every other is an earlier one;
-- the first has none before it), nor while a gateway may still take what it gave no answer about: a mail server that hangs holds back mails, and no text message. A claim does not wait for a run that is being closed: whoever closes it waits for these batches.
-- At most $4 batches, and no more than it takes to have $7 rows: what is beyond is another connection's, this moment. Only
-- for networks $8, NULL: whatever there is.
WITH picked AS MATERIALIZED (
    SELECT b.alert_id, b.first, b.last - b.first + 1 AS rows, b.urgency, b.tier, b.seq
    FROM batch b JOIN run r ON r.alert_id = b.alert_id
    WHERE b.state = 0 AND b.channel = $1 AND b.rehearsal = $2 AND b.not_before <= $3
      AND ($8::text[] IS NULL OR b.network = ANY($8::text[]))
      AND r.state = 0 AND r.expires_at > $3::timestamptz + interval '1 second'
      AND (b.alert_id = b.lineage
           OR NOT EXISTS (SELECT 1 FROM batch a
                        WHERE a.lineage = b.lineage AND a.alert_id <> b.alert_id AND a.channel = b.channel
                          AND (a.state IN (1, 3) OR a.owed_until > clock_timestamp())))
    ORDER BY b.urgency, b.tier, b.seq, b.alert_id
    LIMIT $4
    FOR UPDATE OF b SKIP LOCKED
    FOR SHARE OF r SKIP LOCKED
), enough AS (
    SELECT alert_id, first FROM (
        SELECT *, sum(rows) OVER (ORDER BY urgency, tier, seq, alert_id, first) - rows AS before FROM picked
    ) p
    WHERE before < $7::float8
)
UPDATE batch b
SET state = 1, lease_owner = $5, lease_until = clock_timestamp() + make_interval(secs => $6), claims = LEAST(b.claims + 1, 32767)
FROM enough p, run r
WHERE b.alert_id = p.alert_id AND b.first = p.first AND r.alert_id = b.alert_id
RETURNING b.alert_id, b.first, b.last, b.region, b.channel, b.purpose, b.language, b.rehearsal, b.urgency, b.tier, b.seq, b.claims, b.network, r.expires_at

-- name: still_first
-- Of alerts $1, of which batches are being sent, those whose run is open; none if a batch that could be claimed in their
-- stead (the conditions of `claim`) is of a higher urgency than $5, or as urgent and for units or loudspeakers while $6 is a
-- tier of households: for the vulnerable of another village nothing that is claimed is given back. $7: networks, as there.
SELECT r.alert_id FROM run r
WHERE r.alert_id = ANY($1::int[]) AND r.state = 0 AND NOT EXISTS (
    SELECT 1 FROM batch b JOIN run o ON o.alert_id = b.alert_id
    WHERE b.state = 0 AND b.channel = $2 AND b.rehearsal = $3 AND b.not_before <= $4 AND (b.urgency, LEAST(b.tier, 2)) < ($5, LEAST($6::smallint, 2))
      AND ($7::text[] IS NULL OR b.network = ANY($7::text[]))
      AND o.state = 0 AND o.expires_at > $4::timestamptz + interval '1 second'
      AND (b.alert_id = b.lineage
           OR NOT EXISTS (SELECT 1 FROM batch a
                        WHERE a.lineage = b.lineage AND a.alert_id <> b.alert_id AND a.channel = b.channel
                          AND (a.state IN (1, 3) OR a.owed_until > clock_timestamp()))))

-- name: claimed_rows
-- What of claimed batches (alerts $1, first ordinals $2) is still to be sent, each with its batch's place. Later steps of
-- the policy go only to households that are not reached yet; one that was given up because a gateway was slow is not.
-- The household is looked up row by row, for few steps need it: never by a hash of all targets.
SELECT n.place, d.ordinal, d.address, d.unit_id, d.household_id,
       b.step = 0 OR coalesce((
           SELECT t.state <> 1 FROM target t WHERE t.alert_id = d.alert_id AND t.household_id = d.household_id), true) AS needed
FROM unnest($1::int[], $2::int[]) WITH ORDINALITY AS n(alert_id, first, place)
JOIN batch b ON b.alert_id = n.alert_id AND b.first = n.first
CROSS JOIN LATERAL (
    SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
) d
WHERE d.state IN (0, 1)
ORDER BY n.place, d.ordinal

-- name: renew
-- Prolong the leases of a worker; what comes back are the ones that were. One that ran out is held as long as nobody
-- took it up: after the database was away, whose results wait to be written is not asked to send again. What somebody
-- else is just writing to (a release) is passed over: whoever never waits is in nobody's way.
WITH held AS MATERIALIZED (
    SELECT alert_id, first FROM batch
    WHERE state = 1 AND lease_owner = $1 AND (alert_id, first, claims) IN (SELECT * FROM unnest($3::int[], $4::int[], $5::int[]))
    FOR UPDATE SKIP LOCKED
)
UPDATE batch b SET lease_until = clock_timestamp() + make_interval(secs => $2)
FROM held WHERE b.alert_id = held.alert_id AND b.first = held.first
RETURNING b.alert_id, b.first, b.claims

-- name: release
-- The last results of batches $3, $4 (with their claims $5) are in segment $2: the fold that applies it decides between settled
-- and ready again, from $6 on; for $7 seconds a gateway may still take some of it (NULL: it answered for all). Whoever lost a
-- claim and made another does not release that one with it.
UPDATE batch b
SET state = 3, segment = $2, not_before = GREATEST(b.not_before, n.not_before),
    owed_until = coalesce(clock_timestamp() + make_interval(secs => n.owed), b.owed_until)
FROM unnest($3::int[], $4::int[], $5::int[], $6::timestamptz[], $7::float8[]) AS n(alert_id, first, claims, not_before, owed)
WHERE b.alert_id = n.alert_id AND b.first = n.first AND b.claims = n.claims AND b.state = 1 AND b.lease_owner = $1

-- name: lapsed
-- Batches whose worker fell silent.
SELECT alert_id, first FROM batch WHERE state = 1 AND lease_until < clock_timestamp() ORDER BY alert_id, first FOR UPDATE SKIP LOCKED

-- name: reclaim
-- What a silent worker had not settled may or may not have gone out: it is unknown, counts as tried, and will be sent again.
WITH freed AS (
    UPDATE batch SET state = 0, lease_owner = NULL, lease_until = NULL
    WHERE alert_id = $1 AND first = $2
    RETURNING alert_id, first, last, claims
), counted AS (
    UPDATE tally SET unknown = unknown + queued, queued = 0 WHERE alert_id = $1 AND first = $2
)
UPDATE delivery d SET state = 1, attempts = GREATEST(d.attempts, freed.claims) FROM freed
WHERE d.alert_id = freed.alert_id AND d.ordinal BETWEEN freed.first AND freed.last AND d.state IN (0, 1)

-- name: append
-- A segment with its entries. The lists in them ($8, $9) come as the text of an array, which is read more quickly than a client
-- writes the array itself.
WITH opened AS (INSERT INTO segment (worker, rows) VALUES ($1, $10) RETURNING id), written AS (
    INSERT INTO entry (segment, alert_id, attempt, state, gateway_id, at, reason, ordinals, refs)
    SELECT o.id, e.alert_id, e.attempt, e.state, e.gateway_id, e.at, e.reason, e.ordinals::int[], e.refs::text[]
    FROM opened o, unnest($2::int[], $3::smallint[], $4::smallint[], $5::smallint[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
        AS e(alert_id, attempt, state, gateway_id, at, reason, ordinals, refs)
)
SELECT id FROM opened

-- name: unfolded
SELECT id FROM segment WHERE NOT folded ORDER BY id LIMIT $1

-- name: fold
-- Apply log segments $1 to deliveries, then to the counts of batches, households and villages, and keep the gateways' message
-- ids. Run it with nested loops only: see _fold_some.
WITH log AS MATERIALIZED (
    SELECT e.alert_id, n.ordinal, e.attempt, e.state, e.gateway_id, e.at, e.reason, n.ref
    FROM entry e CROSS JOIN LATERAL unnest(e.ordinals, e.refs) AS n(ordinal, ref)
    WHERE e.segment = ANY($1::bigint[])
), kept AS (
    INSERT INTO message_ref (gateway_id, ref, alert_id, ordinal, attempt)
    SELECT gateway_id, ref, alert_id, ordinal, attempt FROM log WHERE ref IS NOT NULL ORDER BY ref
), news AS (
    SELECT alert_id, ordinal, max(state) AS state, max(attempt) AS attempt, max(gateway_id) AS gateway_id,
           min(attempt) FILTER (WHERE state >= 4) AS first_proof, max(attempt) FILTER (WHERE state >= 4) AS last_proof,
           min(at) FILTER (WHERE state >= 4) AS submitted_at, max(at) FILTER (WHERE state <> 4) AS settled_at,
           max(reason) AS reason
    FROM log GROUP BY alert_id, ordinal
), changed AS (
    UPDATE delivery d
    SET was = d.state + CASE WHEN d.proved = -1 THEN 8 ELSE 0 END,
        state = GREATEST(d.state, n.state),
        proved = CASE WHEN n.first_proof IS NULL THEN d.proved
                      WHEN n.first_proof < n.last_proof OR d.proved NOT IN (0, n.first_proof) THEN -1
                      ELSE n.first_proof END,
        attempts = GREATEST(d.attempts, n.attempt),
        gateway_id = coalesce(n.gateway_id, d.gateway_id),
        submitted_at = coalesce(d.submitted_at, n.submitted_at),
        settled_at = coalesce(n.settled_at, d.settled_at),
        reason = CASE WHEN GREATEST(d.state, n.state) = 6 THEN NULL ELSE coalesce(n.reason, d.reason) END
    FROM news n
    WHERE d.alert_id = n.alert_id AND d.ordinal = n.ordinal
      AND (n.state > d.state OR n.attempt > d.attempts OR (d.proved <> -1 AND (n.first_proof <> d.proved OR n.last_proof <> d.proved)))
    RETURNING d.alert_id, d.batch, d.household_id, d.was % 8 AS was, d.state AS now, d.settled_at,
              (d.proved = -1 AND d.was < 8)::int AS duplicate
), moves AS MATERIALIZED (
    SELECT alert_id, batch, was, now, count(*)::int AS n, sum(duplicate)::int AS duplicates,
           bool_or(household_id IS NOT NULL) AS to_households
    FROM changed WHERE now <> was OR duplicate = 1 GROUP BY alert_id, batch, was, now
), counted AS (
    UPDATE tally y
    SET queued = y.queued + c.queued, unknown = y.unknown + c.unknown, expired = y.expired + c.expired,
        cancelled = y.cancelled + c.cancelled, submitted = y.submitted + c.submitted, failed = y.failed + c.failed,
        delivered = y.delivered + c.delivered, duplicates = y.duplicates + c.duplicates
    FROM (
        SELECT alert_id, batch,
               sum(n * ((now = 0)::int - (was = 0)::int)) AS queued, sum(n * ((now = 1)::int - (was = 1)::int)) AS unknown,
               sum(n * ((now = 2)::int - (was = 2)::int)) AS expired, sum(n * ((now = 3)::int - (was = 3)::int)) AS cancelled,
               sum(n * ((now = 4)::int - (was = 4)::int)) AS submitted, sum(n * ((now = 5)::int - (was = 5)::int)) AS failed,
               sum(n * ((now = 6)::int - (was = 6)::int)) AS delivered, sum(duplicates) AS duplicates
        FROM moves GROUP BY alert_id, batch
    ) c
    WHERE y.alert_id = c.alert_id AND y.first = c.batch
), arrived AS (
    UPDATE target t
    SET state = 1, late = (t.state = 2), reached_at = a.settled_at, reached_by = a.channel
    FROM (
        SELECT a.alert_id, a.household_id, a.settled_at, b.channel
        FROM changed a CROSS JOIN LATERAL (SELECT channel FROM batch b WHERE b.alert_id = a.alert_id AND b.first = a.batch OFFSET 0) b
        WHERE a.now = 6 AND a.was < 6 AND a.household_id IS NOT NULL
    ) a
    WHERE t.alert_id = a.alert_id AND t.household_id = a.household_id AND t.state <> 1
    RETURNING t.alert_id, t.household_id, t.village AS region, t.late
), visited AS (
    UPDATE door_task o SET state = 'done', closed_at = $2
    FROM arrived a WHERE a.late AND o.alert_id = a.alert_id AND o.household_id = a.household_id AND o.state = 'open'
), villages AS (
    UPDATE chunk k
    SET reached = k.reached + v.reached, unreached = k.unreached - v.regained,
        next_at = CASE WHEN v.failed THEN LEAST(k.next_at, $2::timestamptz + CASE WHEN k.region = '' THEN interval '0' ELSE interval '5 seconds' END)
                       ELSE k.next_at END
    FROM (
        SELECT alert_id, region, sum(reached)::int AS reached, sum(regained)::int AS regained, bool_or(failed) AS failed
        FROM (
            SELECT alert_id, region, count(*)::int AS reached, count(*) FILTER (WHERE late)::int AS regained, false AS failed
            FROM arrived GROUP BY alert_id, region
            UNION ALL
            SELECT b.alert_id, b.region, 0, 0, true
            FROM moves m CROSS JOIN LATERAL (SELECT * FROM batch b WHERE b.alert_id = m.alert_id AND b.first = m.batch OFFSET 0) b
            WHERE m.now = 5 AND m.was < 5 AND (m.to_households OR b.channel = 'loudspeaker')
        ) u GROUP BY alert_id, region
    ) v
    WHERE k.alert_id = v.alert_id AND k.region = v.region
)
UPDATE segment SET folded = true WHERE id = ANY($1::bigint[])

-- name: by_key_only
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL work_mem = '64MB'

-- name: by_any_plan
SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL work_mem TO DEFAULT

-- name: fold_releases
UPDATE batch b
SET state = CASE WHEN y.queued + y.unknown = 0 THEN 2 ELSE 0 END, lease_owner = NULL, lease_until = NULL, segment = NULL
FROM tally y
WHERE b.state = 3 AND b.segment = ANY($1::bigint[]) AND y.alert_id = b.alert_id AND y.first = b.first

-- name: resolve_refs
-- The deliveries that a gateway's own message ids belong to.
SELECT ref, alert_id, ordinal, attempt FROM message_ref WHERE gateway_id = $1 AND ref = ANY($2::text[])

-- name: adopt_strays
-- Receipts that came before our own write find their message now.
WITH found AS (
    DELETE FROM stray_receipt s USING message_ref m
    WHERE m.ref = s.ref AND m.gateway_id = s.gateway_id
    RETURNING m.alert_id, m.ordinal, m.attempt, s.state, s.gateway_id, s.reason, s.at
), opened AS (
    INSERT INTO segment (worker, rows) SELECT $1, count(*) FROM found HAVING count(*) > 0 RETURNING id
)
INSERT INTO entry (segment, alert_id, attempt, state, gateway_id, at, reason, ordinals)
SELECT o.id, f.alert_id, f.attempt, f.state, f.gateway_id, f.at, f.reason, ARRAY[f.ordinal] FROM found f, opened o

-- name: forget_strays
DELETE FROM stray_receipt WHERE stored_at < $1

-- name: withdraw
-- Deliveries of an alert that were never taken by a gateway end as $2 (expired or cancelled), batch by batch.
WITH closed AS (
    UPDATE batch SET state = 2 WHERE alert_id = $1 AND state = 0 RETURNING alert_id, first, last
), counted AS (
    UPDATE tally y
    SET queued = 0, unknown = 0,
        expired = y.expired + CASE WHEN $2 = 2 THEN y.queued + y.unknown ELSE 0 END,
        cancelled = y.cancelled + CASE WHEN $2 = 3 THEN y.queued + y.unknown ELSE 0 END
    FROM closed c WHERE y.alert_id = c.alert_id AND y.first = c.first
)
UPDATE delivery d SET state = $2, settled_at = $3
FROM closed c WHERE d.alert_id = c.alert_id AND d.ordinal BETWEEN c.first AND c.last AND d.state IN (0, 1)

-- name: withdraw_units
-- The unit has answered: what still waits to be sent to it is cancelled, at once and exactly. What a worker holds may have
-- gone out, and its word on that may never come: it counts as tried.
WITH waiting AS (
    SELECT d.alert_id, d.ordinal, d.batch, d.state, CASE WHEN b.state IN (1, 3) THEN b.claims ELSE 0 END AS tried
    FROM batch b JOIN tally y USING (alert_id, first)
    CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    WHERE b.alert_id = $1 AND b.purpose = 'unit' AND y.queued + y.unknown > 0
      AND d.unit_id = ANY($2::bigint[]) AND d.state IN (0, 1)
    ORDER BY d.ordinal
    FOR UPDATE OF d
), cancelled AS (
    UPDATE delivery d SET state = 3, settled_at = $3, attempts = GREATEST(d.attempts, w.tried)
    FROM waiting w WHERE d.alert_id = w.alert_id AND d.ordinal = w.ordinal
    RETURNING d.alert_id, d.batch, w.state AS was
)
UPDATE tally y SET queued = y.queued - x.queued, unknown = y.unknown - x.unknown, cancelled = y.cancelled + x.queued + x.unknown
FROM (
    SELECT alert_id, batch, count(*) FILTER (WHERE was = 0) AS queued, count(*) FILTER (WHERE was = 1) AS unknown
    FROM cancelled GROUP BY alert_id, batch
) x
WHERE y.alert_id = x.alert_id AND y.first = x.batch
