-- Statements of questions: messages with words of their own for one address, in the ledger as every other delivery.

-- name: urgencies
SELECT alert_id, urgency FROM run WHERE alert_id = ANY($1::int[]) AND state = 0 AND expires_at > $2

-- name: one_at_a_time
-- Two workers that settle two answers of one person: the second sees what the first has asked.
SELECT pg_advisory_xact_lock($1)

-- name: ask
-- A delivery in a batch of its own, ahead of everything else of its alert; one per address and ten minutes, so that two
-- machines do not talk to each other all night.
WITH numbers AS MATERIALIZED (
    {numbers}
), chosen AS (
    SELECT r.alert_id, r.lineage, r.rehearsal, r.urgency FROM run r
    WHERE r.alert_id = $1 AND r.state = 0
      AND NOT EXISTS (
          SELECT 1 FROM question q
          WHERE q.address = $4 AND q.channel = $3 AND q.asked_at > $6::timestamptz - make_interval(secs => $7))
), reserved AS (
    UPDATE run_ordinal o SET next = next + 1 FROM chosen c WHERE o.alert_id = c.alert_id
    RETURNING c.alert_id, c.lineage, c.rehearsal, c.urgency, o.next - 1 AS ordinal
), written AS (
    INSERT INTO delivery (alert_id, ordinal, batch, address) SELECT alert_id, ordinal, ordinal, $4 FROM reserved
), cut AS (
    INSERT INTO batch (alert_id, first, last, lineage, region, channel, purpose, language, network, step, rehearsal, urgency, tier, seq, not_before)
    SELECT alert_id, ordinal, ordinal, lineage, '', c.channel, 'question', 'zh-CN',
           {network},
           0, rehearsal, urgency, 0, 0, $6
    FROM reserved CROSS JOIN numbers CROSS JOIN (SELECT $3::text AS channel, $4::text AS address) c
), tallied AS (
    INSERT INTO tally (alert_id, first, queued) SELECT alert_id, ordinal, 1 FROM reserved
)
INSERT INTO question (alert_id, ordinal, response_id, channel, address, body, asked_at)
SELECT alert_id, ordinal, $2::bigint, $3::text, $4::text, $5::jsonb, $6 FROM reserved

-- name: bodies
SELECT ordinal, body, asked_at FROM question WHERE alert_id = $1 AND ordinal = ANY($2::int[])
