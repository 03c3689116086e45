-- Statements of what other machines tell us.

-- name: keep
-- Messages of source $1: documents $2 with digests $3, got at $4, received at $5, proven $6. Those that are there already change
-- nothing.
INSERT INTO incoming (source, document, digest, address, received_at, proven)
SELECT $1, given.document, given.digest, given.address, $5, given.proven
FROM unnest($2::bytea[], $3::bytea[], $4::text[], $6::boolean[]) WITH ORDINALITY
     AS given(document, digest, address, proven, place)
ORDER BY place
ON CONFLICT (source, digest) DO NOTHING
RETURNING id

-- name: mark
INSERT INTO incoming_mark (source, mark, seen_at) SELECT $1, unnest($2::text[]), $3
ON CONFLICT (source, mark) DO UPDATE SET seen_at = EXCLUDED.seen_at
WHERE incoming_mark.seen_at < EXCLUDED.seen_at - interval '1 day'

-- name: known
SELECT mark FROM incoming_mark WHERE source = $1 AND mark = ANY($2::text[])

-- name: seen_again
-- What an index still lists is not forgotten; written once a day.
UPDATE incoming_mark SET seen_at = $3
WHERE source = $1 AND mark = ANY($2::text[]) AND seen_at < $3::timestamptz - interval '1 day'

-- name: forget
-- What nobody needs any more: messages received before $1 that wait for nobody and led to nothing, and marks that no index has
-- listed since.
WITH old AS (
    SELECT id FROM incoming
    WHERE received_at < $1 AND state NOT IN ('new', 'waiting', 'drafted') ORDER BY received_at LIMIT 500
), gone AS (DELETE FROM incoming WHERE id IN (SELECT id FROM old))
DELETE FROM incoming_mark WHERE ctid IN (SELECT ctid FROM incoming_mark WHERE seen_at < $1 LIMIT 2000)

-- name: begin
-- Judge the oldest that nobody has judged yet, unless somebody is at it; nobody else takes it up for $1 seconds. Counted before it is
-- done, so that one which kills its judge is given up.
UPDATE incoming SET tries = tries + 1, judging_until = clock_timestamp() + make_interval(secs => $1)
WHERE id = (SELECT id FROM incoming WHERE state = 'new' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
  AND (judging_until IS NULL OR judging_until < clock_timestamp())
RETURNING id, source, document, tries, proven

-- name: let_go
UPDATE incoming SET judging_until = NULL WHERE id = $1

-- name: lock
SELECT id FROM incoming WHERE id = $1 AND state = 'new' FOR UPDATE

-- name: settle
UPDATE incoming SET
    state = $2, verdict = $3, reasons = $4, signature = $5, identifier = $6, sender = $7, sent_at = $8, status = $9,
    msg_type = $10, hazard = $11, colour = $12, headline = $13, area = $14, refers = $15, expires_at = $16, said = $17,
    event = $18, regions = $19, place = $20, note = $21, same_as = $22, draft_key = $23, settled_at = $24,
    answer = CASE WHEN $25 THEN 'due' ELSE '' END, answer_at = $24, words = $26::text::jsonb,
    judging_until = NULL
WHERE id = $1

-- name: answer
-- The next answer that source $1 waits for; nobody else takes it up before $3.
UPDATE incoming SET answer_tries = answer_tries + 1, answer_at = $3
WHERE id = (
    SELECT id FROM incoming WHERE source = $1 AND answer = 'due' AND answer_at <= $2 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING id, identifier, sender, sent_at, status, verdict, reasons, received_at, answer_tries

-- name: answered
UPDATE incoming SET answer = $2, answer_at = $3, answer_reason = $4 WHERE id = $1 AND answer = 'due'

-- name: standings
-- How the orders of source $1 stand: that of identifier $2, or, where it is NULL, the one that its platform was not told of for
-- the longest, of those received after $3 that may be told at $4.
WITH standing AS (
    SELECT i.id, i.identifier, i.regions, i.note, i.reasons, i.received_at, i.answer_tries, i.state_told, i.answer_at,
           a.issued_at, a.ended_at, c.reached::float8 / nullif(c.households, 0) AS reached,
           CASE WHEN i.state IN ('refused', 'expired', 'outside', 'done') THEN 'failed'
                WHEN i.state = 'replaced' THEN 'cancelled'
                WHEN i.state = 'noted' THEN 'done'
                WHEN a.issued_at IS NULL THEN 'waiting'
                WHEN s.msg_type = 'Cancel' AND a.msg_type <> 'Cancel' THEN 'cancelled'
                WHEN a.state = 'issued' AND a.superseded_by IS NULL AND coalesce(c.reached + c.unreached < c.households, true)
                     THEN 'under_way'
                ELSE 'done' END AS state
    FROM incoming i
    LEFT JOIN draft_form d ON d.key = i.draft_key
    LEFT JOIN alert a ON a.id = coalesce(d.alert_id, i.alert_id)
    LEFT JOIN alert s ON s.identifier = a.superseded_by
    LEFT JOIN LATERAL (
        SELECT sum(households) AS households, sum(reached) AS reached, sum(unreached) AS unreached FROM chunk
        WHERE alert_id = a.id HAVING bool_and(state > 0)
    ) AS c ON true
    WHERE i.source = $1 AND i.identifier <> '' AND i.state NOT IN ('new', 'repeated') AND i.received_at > $3
)
SELECT id, identifier, regions, note, reasons, received_at, answer_tries, issued_at, ended_at, reached, state FROM standing
WHERE CASE WHEN $2::text IS NULL THEN state <> state_told AND answer_at <= $4 ELSE identifier = $2 END
ORDER BY answer_at, id DESC LIMIT 1

-- name: take_up
-- Tell of message $1, whose turn it is at $2; nobody else does before $3.
UPDATE incoming SET answer_at = $3, answer_tries = answer_tries + 1 WHERE id = $1 AND answer_at <= $2 RETURNING id

-- name: state_told
UPDATE incoming SET state_told = $2, answer_at = $3, answer_tries = 0, answer_reason = '' WHERE id = $1

-- name: state_untold
UPDATE incoming SET answer_at = $2, answer_reason = $3 WHERE id = $1

-- name: named
-- Messages of this identifier and sender that were judged before $3, the first one first.
SELECT id, source, sent_at, said, state, same_as, signature FROM incoming
WHERE identifier = $1 AND sender = $2 AND id <> $3 AND state NOT IN ('new', 'refused') ORDER BY id LIMIT 20

-- name: of_event
SELECT id, state FROM incoming
WHERE event = $1 AND id <> $2 AND state NOT IN ('new', 'refused', 'repeated') ORDER BY id LIMIT 1

-- name: relayed
-- What was made of the messages of these identifiers: the drafts, and the alerts that came of them.
SELECT i.id, i.state, i.draft_key, coalesce(d.alert_id, first.alert_id) AS alert_id, d.key IS NOT NULL AS lying
FROM incoming i
JOIN incoming first ON first.id = coalesce(i.same_as, i.id)
LEFT JOIN draft_form d ON d.key = first.draft_key
WHERE i.identifier = ANY($1::text[]) AND i.state NOT IN ('new', 'refused') ORDER BY i.id

-- name: in_force
-- The alert that is in force of the lineage that one of these began or took part in, by record or by identifier.
SELECT current.id FROM alert one
JOIN alert current ON current.lineage = one.lineage AND current.state = 'issued' AND current.superseded_by IS NULL
WHERE one.id = ANY($1::int[]) OR one.identifier = ANY($2::text[])
ORDER BY current.id DESC LIMIT 1

-- name: replaced_by
-- A later message of status $3 that takes back or renews what this identifier says; $2: only one that has proven itself.
SELECT id, msg_type FROM incoming
WHERE refers @> ARRAY[$1::text] AND msg_type IN ('Update', 'Cancel') AND state NOT IN ('new', 'refused', 'repeated')
  AND status = $3 AND (signature = 'good' OR NOT $2)
ORDER BY id DESC LIMIT 1

-- name: replace
-- What still waits under these identifiers is overtaken by a later message of the same status $5; what has proven itself, only by
-- one that has ($6).
UPDATE incoming SET state = 'replaced', note = $2, words = coalesce(words, '{}') || $4::text::jsonb
WHERE identifier = ANY($1::text[]) AND state = 'waiting' AND id <> $3 AND status = $5 AND ($6 OR signature <> 'good')

-- name: drafted
UPDATE incoming SET state = 'drafted', draft_key = $2, note = $3, handled_at = $4, handled_by = $5,
    words = coalesce(words, '{}') || $6::text::jsonb
WHERE id = $1

-- name: post
-- A document that came to the interface for alerts, once: kept as alert $6, which has none yet, or refused.
INSERT INTO incoming (source, document, digest, received_at, state, alert_id)
SELECT $1, $2, $3, $4, $5, $6::integer WHERE NOT EXISTS (SELECT FROM incoming WHERE alert_id = $6)
ON CONFLICT (source, digest) DO NOTHING RETURNING id

-- name: set_aside
UPDATE incoming SET state = 'done', handled_at = $2, handled_by = $3 WHERE id = $1 AND state = 'waiting' RETURNING id

-- name: hold
SELECT i.id, i.state, i.signature, i.draft_key, coalesce(d.alert_id, i.alert_id) AS alert_id,
       d.alert_id IS NULL AND d.version = 1 AND d.account_id = 0 AS untouched
FROM incoming i LEFT JOIN draft_form d ON d.key = i.draft_key WHERE i.id = $1 FOR UPDATE OF i

-- name: list
-- Before id $1, of state $2 and source $3 ('' any), touching a region of $4 (code prefixes; [''] everything), $5 rows.
SELECT i.id, i.source, i.received_at, i.state, i.verdict, i.signature, i.identifier, i.sender, i.sent_at, i.status, i.msg_type,
       i.hazard, i.colour, i.headline, i.area, i.expires_at, i.regions, i.place, i.note, i.same_as, i.draft_key, i.reasons,
       i.handled_at, i.handled_by, i.address, i.refers, coalesce(d.alert_id, i.alert_id) AS alert_id, i.words::text AS words,
       octet_length(i.document) AS size
FROM incoming i LEFT JOIN draft_form d ON d.key = i.draft_key
WHERE i.id < $1 AND ($2 = '' OR i.state = $2) AND ($3 = '' OR i.source = $3)
  AND EXISTS (SELECT FROM unnest($4::text[]) AS s(scope), unnest(CASE WHEN i.regions = '{}' THEN ARRAY[$6] ELSE i.regions END) AS r(code)
              WHERE starts_with(r.code, s.scope) OR starts_with(s.scope, r.code))
ORDER BY i.id DESC LIMIT $5

-- name: one
SELECT i.id, i.source, i.received_at, i.state, i.verdict, i.signature, i.identifier, i.sender, i.sent_at, i.status, i.msg_type,
       i.hazard, i.colour, i.headline, i.area, i.expires_at, i.regions, i.place, i.note, i.same_as, i.draft_key, i.reasons,
       i.handled_at, i.handled_by, i.address, i.refers, coalesce(d.alert_id, i.alert_id) AS alert_id, i.words::text AS words,
       octet_length(i.document) AS size, i.document
FROM incoming i LEFT JOIN draft_form d ON d.key = i.draft_key
WHERE i.id = $1

-- name: repeats
SELECT id, source, received_at FROM incoming WHERE same_as = $1 ORDER BY id LIMIT 50

-- name: count_waiting
SELECT count(*) FROM (SELECT FROM incoming WHERE state = 'waiting' LIMIT 100) AS found

-- name: appear
INSERT INTO source_state (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING

-- name: claim
-- Visit source $1 if it is due and nobody does: the lease is for $4 seconds.
UPDATE source_state SET owner = $2, lease_until = clock_timestamp() + make_interval(secs => $4)
WHERE name = $1 AND next_at <= $3 AND (lease_until IS NULL OR lease_until < clock_timestamp())
RETURNING memory, failures

-- name: heard
UPDATE source_state SET
    memory = $3, next_at = $4, owner = NULL, lease_until = NULL, failures = 0, trouble = '', reason = '', since = NULL,
    remarks = $5, visited_at = $6, heard_at = $6, offered = CASE WHEN $7::int IS NULL THEN offered ELSE $7 END, kept = kept + $8
WHERE name = $1 AND owner = $2

-- name: failed
UPDATE source_state SET
    memory = coalesce($3, memory), next_at = $4, owner = NULL, lease_until = NULL, failures = failures + 1, trouble = $5,
    reason = $6, since = coalesce(since, $7), visited_at = $7
WHERE name = $1 AND owner = $2

-- name: soon
UPDATE source_state SET next_at = least(next_at, $2) WHERE name = $1 RETURNING name

-- name: states
SELECT name, next_at, failures, trouble, reason, remarks, since, visited_at, heard_at, offered, kept,
       lease_until IS NOT NULL AND lease_until >= clock_timestamp() AS visiting
FROM source_state WHERE name = ANY($1::text[])

-- name: counts
SELECT source, state, count(*) AS messages FROM incoming WHERE received_at > $1 GROUP BY source, state
