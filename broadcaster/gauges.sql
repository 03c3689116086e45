-- What the gauges read. Everything is counted from batches, tallies, chunks and partial indexes, never from deliveries or
-- targets: with a million deliveries in force it is some thousand rows. `open` is the alerts that are being sent.

-- name: deliveries
-- Per open alert and channel: deliveries by state, batches by state, and how old the oldest is that is not out, or out
-- and without evidence. A tally is looked up batch by batch (OFFSET 0): to the statistics a new alert is one row.
WITH open AS (SELECT alert_id FROM run WHERE state = 0 ORDER BY urgency, alert_id DESC LIMIT $1)
SELECT b.alert_id, b.channel,
       sum(y.queued)::int AS queued, sum(y.unknown)::int AS unknown, sum(y.expired)::int AS expired,
       sum(y.cancelled)::int AS cancelled, sum(y.submitted)::int AS submitted, sum(y.failed)::int AS failed,
       sum(y.delivered)::int AS delivered, sum(y.duplicates)::int AS duplicates,
       count(*) FILTER (WHERE b.state = 0) AS ready, count(*) FILTER (WHERE b.state = 1) AS leased,
       count(*) FILTER (WHERE b.state = 3) AS released, count(*) FILTER (WHERE b.state = 2) AS settled,
       coalesce(extract(epoch FROM clock_timestamp() - min(b.planned_at) FILTER (WHERE y.queued + y.unknown > 0)), 0)::float8
           AS oldest_unsent,
       coalesce(extract(epoch FROM clock_timestamp() - min(b.planned_at)
                                   FILTER (WHERE y.queued + y.unknown + y.submitted > 0)), 0)::float8 AS oldest_undelivered
FROM open JOIN batch b USING (alert_id)
CROSS JOIN LATERAL (SELECT * FROM tally y WHERE y.alert_id = b.alert_id AND y.first = b.first OFFSET 0) y
GROUP BY b.alert_id, b.channel ORDER BY b.alert_id, b.channel

-- name: villages
-- Per open alert: villages to be planned, households by state, and for how long a visit has been due ($2 now).
WITH open AS (SELECT alert_id FROM run WHERE state = 0 ORDER BY urgency, alert_id DESC LIMIT $1)
SELECT k.alert_id, extract(epoch FROM $2::timestamptz - min(r.opened_at))::float8 AS age,
       count(*) FILTER (WHERE k.state = 0) AS unplanned, count(*) FILTER (WHERE k.state > 0) AS planned,
       sum(k.reached)::int AS reached, sum(k.unreached)::int AS unreached,
       sum(k.households - k.reached - k.unreached)::int AS pending,
       GREATEST(coalesce(extract(epoch FROM $2::timestamptz - min(k.next_at) FILTER (WHERE k.state < 2)), 0), 0)::float8 AS late
FROM open JOIN run r USING (alert_id) JOIN chunk k USING (alert_id)
GROUP BY k.alert_id ORDER BY k.alert_id

-- name: units
-- Per open alert: units by state, and for how long the step of a silent one has been due ($2 now).
WITH open AS (SELECT alert_id FROM run WHERE state = 0 ORDER BY urgency, alert_id DESC LIMIT $1)
SELECT u.alert_id, count(*) FILTER (WHERE u.state = 'waiting') AS waiting,
       count(*) FILTER (WHERE u.state = 'acknowledged') AS acknowledged,
       count(*) FILTER (WHERE u.state = 'exhausted') AS exhausted, count(*) FILTER (WHERE u.step > 1) AS escalated,
       GREATEST(coalesce(extract(epoch FROM $2::timestamptz - min(u.next_at) FILTER (WHERE u.state = 'waiting')), 0), 0)::float8
           AS late
FROM open JOIN unit u USING (alert_id)
GROUP BY u.alert_id ORDER BY u.alert_id

-- name: backlog
-- What waits for a process of ours: log not folded, receipts without a message, answers not understood.
SELECT (SELECT coalesce(sum(rows), 0) FROM segment WHERE NOT folded)::int AS log_rows,
       coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(written_at) FROM segment WHERE NOT folded)), 0)::float8
           AS log_age,
       (SELECT count(*) FROM (SELECT 1 FROM stray_receipt LIMIT 100000) s) AS strays,
       (SELECT count(*) FROM response WHERE settled_at IS NULL) AS answers,
       GREATEST(coalesce(extract(epoch FROM $1::timestamptz - (SELECT min(stored_at) FROM response WHERE settled_at IS NULL)), 0),
                0)::float8 AS answers_age

-- name: desk
-- What waits for a person.
SELECT kind, count(*) AS open,
       GREATEST(coalesce(extract(epoch FROM $1::timestamptz - min(created_at)), 0), 0)::float8 AS age
FROM duty_notice WHERE state = 'open' GROUP BY kind ORDER BY kind

-- name: slots
SELECT g.name AS gateway, count(*) AS slots,
       count(*) FILTER (WHERE s.owner IS NOT NULL AND s.lease_until > clock_timestamp()) AS held
FROM gateway_slot s JOIN gateway g ON g.id = s.gateway_id GROUP BY g.name ORDER BY g.name

-- name: processes
-- Who gave a sign of life in the last minute.
SELECT name, kind, knows, extract(epoch FROM clock_timestamp() - seen_at)::float8 AS silent,
       extract(epoch FROM clock_timestamp() - started_at)::float8 AS up, figures::text AS figures
FROM process WHERE seen_at > clock_timestamp() - interval '1 minute' ORDER BY name

-- name: tables
-- Rows that hold data and rows that wait for vacuum, as the statistics estimate them.
SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = ANY($1::text[])

-- name: database
-- The schema, the size, and for how long a transaction has kept vacuum from cleaning up.
SELECT (SELECT coalesce(max(version), 0) FROM schema_change WHERE applied_at IS NOT NULL) AS version,
       (SELECT coalesce(max(needs), 0) FROM schema_change) AS needs,
       pg_database_size(current_database()) AS bytes,
       (SELECT count(*) FROM archive) AS archived,
       (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest_transaction
