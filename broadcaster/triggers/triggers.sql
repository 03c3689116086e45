-- Stations, readings and rules.

-- name: begin_series
-- $1 station codes, $2 elements: the series that are not there yet.
INSERT INTO series (station_id, element)
SELECT DISTINCT s.id, given.element
FROM unnest($1::text[], $2::text[]) AS given(code, element)
JOIN station s ON s.code = given.code
WHERE NOT EXISTS (SELECT FROM series e WHERE e.station_id = s.id AND e.element = given.element)
ON CONFLICT DO NOTHING

-- name: hold_series
-- $1 station codes, $2 elements: their series, locked in one order, so that nobody judges by what another is changing.
SELECT e.id, s.code, e.element, s.region_code, s.limits::text AS limits, e.last_at, e.last_value, e.last_verdict, e.good_at,
       e.good_value, e.same_since
FROM unnest($1::text[], $2::text[]) AS given(code, element)
JOIN station s ON s.code = given.code AND s.active
JOIN series e ON e.station_id = s.id AND e.element = given.element
ORDER BY e.id FOR NO KEY UPDATE OF e

-- name: add_readings
INSERT INTO reading (series_id, at, value, verdict)
SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::float8[], $4::smallint[])
ON CONFLICT DO NOTHING

-- name: move_series
UPDATE series e
SET last_at = n.last_at, last_value = n.last_value, last_verdict = n.last_verdict, good_at = n.good_at,
    good_value = n.good_value, same_since = n.same_since, stored_at = $8
FROM unnest($1::integer[], $2::timestamptz[], $3::float8[], $4::smallint[], $5::timestamptz[], $6::float8[],
            $7::timestamptz[])
     AS n(id, last_at, last_value, last_verdict, good_at, good_value, same_since)
WHERE e.id = n.id

-- name: hear_stations
-- $1 codes, $2 now, $3 those that said something of the future alone. To the minute is enough for a list, and a row that is
-- the same is not written.
UPDATE station SET heard_at = $2::timestamptz, silent_since = NULL
WHERE code = ANY ($1::text[])
  AND (heard_at IS NULL OR heard_at < $2::timestamptz - interval '20 seconds' OR silent_since IS NOT NULL)
  AND (heard_at IS NULL OR code <> ALL ($3::text[]))

-- name: note_strangers
-- $1 codes, $2 how many readings, $3 source, $4 now, $5 the most that are kept.
INSERT INTO stranger (code, source, readings, first_at, last_at)
SELECT given.code, $3, given.n, $4, $4
FROM unnest($1::text[], $2::bigint[]) AS given(code, n)
WHERE (SELECT count(*) FROM stranger) < $5 OR EXISTS (SELECT FROM stranger o WHERE o.code = given.code)
ON CONFLICT (code) DO UPDATE
SET readings = stranger.readings + excluded.readings, last_at = excluded.last_at, source = excluded.source

-- name: days
-- The partitions that there are.
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'reading'::regclass

-- name: fall_silent
-- $1 now, $2 how many periods without a word, $3 the least seconds: the stations that have just fallen silent.
UPDATE station SET silent_since = $1::timestamptz
WHERE active AND silent_since IS NULL AND heard_at IS NOT NULL
  AND heard_at < $1::timestamptz - make_interval(secs => greatest(period * $2::float8, $3::float8))
RETURNING code

-- name: stations
-- $1 region prefixes, $2 words in code or name ('' all), $3 after this code, $4 how many.
SELECT s.id, s.code, s.name, s.region_code, coalesce(r.name, '') AS region_name, s.lon, s.lat, s.kind, s.clusters, s.period,
       s.limits::text AS limits, s.active, s.heard_at, s.silent_since
FROM station s LEFT JOIN region r ON r.code = s.region_code
WHERE s.region_code LIKE ANY (SELECT w || '%' FROM unnest($1::text[]) w)
  AND ($2 = '' OR strpos(lower(s.code), $2) > 0 OR strpos(lower(s.name), $2) > 0) AND s.code > $3
ORDER BY s.code LIMIT $4

-- name: station
SELECT s.id, s.code, s.name, s.region_code, coalesce(r.name, '') AS region_name, s.lon, s.lat, s.kind, s.clusters, s.period,
       s.limits::text AS limits, s.active, s.heard_at, s.silent_since
FROM station s LEFT JOIN region r ON r.code = s.region_code WHERE s.id = $1

-- name: latest
-- $1 station ids: what each series said last.
SELECT station_id, id, element, last_at, last_value, last_verdict, good_at FROM series
WHERE station_id = ANY ($1::integer[]) AND last_at IS NOT NULL ORDER BY station_id, element

-- name: course
-- $1 series, $2 from, $3 to, $4 how many at the most, the latest.
SELECT at, value, verdict FROM reading WHERE series_id = $1 AND at > $2 AND at <= $3 ORDER BY at DESC LIMIT $4

-- name: silent
-- $1 region prefixes, $2 how many.
SELECT id, code, name, silent_since, heard_at FROM station
WHERE silent_since IS NOT NULL AND active AND region_code LIKE ANY (SELECT w || '%' FROM unnest($1::text[]) w)
ORDER BY silent_since DESC LIMIT $2

-- name: ahead
-- $1 stations, $2 now: those of them that report of a time to come.
SELECT DISTINCT e.station_id FROM series e
WHERE e.station_id = ANY ($1::integer[]) AND EXISTS (SELECT FROM reading d WHERE d.series_id = e.id AND d.at > $2)

-- name: strangers
SELECT code, source, readings, first_at, last_at FROM stranger s
WHERE NOT EXISTS (SELECT FROM station t WHERE t.code = s.code) ORDER BY last_at DESC LIMIT $1

-- name: resolve
-- $1 codes, $2 clusters: the stations that a rule is about.
SELECT id, code, name, region_code, lon, lat, clusters, limits::text AS limits, period FROM station
WHERE active AND (code = ANY ($1::text[]) OR clusters && $2::text[]) ORDER BY code

-- name: window
-- $1 station ids, $2 elements, $3 from, $4 to, $5 the highest verdict that is used.
-- Arrays: a row for each reading would cost the reader ten times as much.
SELECT s.code, e.element, array_agg(extract(epoch FROM d.at)::float8 ORDER BY d.at) AS times,
       array_agg(d.value ORDER BY d.at) AS "values"
FROM series e JOIN station s ON s.id = e.station_id
JOIN reading d ON d.series_id = e.id AND d.at > $3 AND d.at <= $4 AND d.verdict <= $5
WHERE e.station_id = ANY ($1::integer[]) AND e.element = ANY ($2::text[])
GROUP BY s.code, e.element

-- name: lend
-- $1 name, $2 owner, $3 seconds: the lease of a listener, if it is free or ours.
INSERT INTO listener AS l (name, owner, lease_until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
WHERE l.owner IS NULL OR l.owner = $2 OR l.lease_until < clock_timestamp()
RETURNING l.name

-- name: give_back
UPDATE listener SET owner = NULL, lease_until = NULL WHERE name = $1 AND owner = $2

-- name: listener_trouble
UPDATE listener SET trouble = $2, since = CASE WHEN $2 = '' THEN NULL WHEN trouble = '' THEN $3 ELSE since END
WHERE name = $1 AND trouble <> $2

-- name: listener_counts
UPDATE listener SET readings = readings + $2 WHERE name = $1

-- name: listeners
SELECT name, owner, lease_until > clock_timestamp() AS held, trouble, since, readings FROM listener
WHERE name = ANY ($1::text[]) ORDER BY name

-- name: rules_at_work
-- $1 now: the rules that were not looked at for a second, the longest unlooked-at first.
SELECT name FROM rule_standing
WHERE mode <> 'off' AND (evaluated_at IS NULL OR evaluated_at < $1::timestamptz - interval '1 second')
ORDER BY evaluated_at NULLS FIRST

-- name: hold_rule
-- $1 name: the rule's standing with its text, locked; nothing when another looks at it.
SELECT s.name, s.version, s.mode, s.state::text AS state, s.evaluated_at, d.body
FROM rule_standing s JOIN decision d ON d.subject = 'rule' AND d.name = s.name AND d.version = s.version
WHERE s.name = $1 AND s.mode <> 'off' AND d.body IS NOT NULL FOR NO KEY UPDATE OF s SKIP LOCKED

-- name: news
-- $1 station ids: when any of them was stored last.
SELECT max(stored_at) FROM series WHERE station_id = ANY ($1::integer[])

-- name: keep_state
UPDATE rule_standing SET state = $2::text::jsonb, evaluated_at = $3, trouble = '' WHERE name = $1

-- name: keep_trouble
UPDATE rule_standing SET trouble = $2, evaluated_at = $3 WHERE name = $1

-- name: set_rule
-- $1 name, $2 version, $3 mode, $4 account, $5 now. What goes on goes on under another version; switched off or from a trial
-- to work it begins anew, but knows what is out: that is updated, and called off.
INSERT INTO rule_standing AS s (name, version, mode, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE
SET version = excluded.version, mode = excluded.mode, set_by = excluded.set_by, set_at = excluded.set_at, trouble = '',
    state = CASE WHEN s.mode = excluded.mode THEN s.state 
                 ELSE jsonb_strip_nulls(jsonb_build_object('alert_id', s.state -> 'alert_id')) END,
    evaluated_at = NULL

-- name: standings
SELECT s.name, s.version, s.mode, s.set_at, s.state::text AS state, s.evaluated_at, s.trouble, coalesce(a.name, '') AS set_by
FROM rule_standing s LEFT JOIN account a ON a.id = s.set_by

-- name: add_event
-- Of rule $1, or of message $14 of source $1.
INSERT INTO rule_event (rule, version, mode, step, colour, deed, state, regions, said, fault, alert_id, due_at, at, incoming_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10, $11, $12, $13, $14) RETURNING id

-- name: end_events
-- $1 rule, $2 now: what an earlier step of the event left open is overtaken; when what was held would have gone out.
WITH left_open AS (
    SELECT id, state, due_at FROM rule_event
    WHERE rule = $1 AND incoming_id IS NULL AND state IN ('open', 'held', 'failed') FOR NO KEY UPDATE
), over AS (
    UPDATE rule_event e SET state = 'over', closed_at = $2 FROM left_open o WHERE e.id = o.id
)
SELECT min(due_at) FROM left_open WHERE state = 'held'

-- name: withdraw
-- $1 source, $2 identifiers, $3 now: what this source said under these, or another before it, and is held, is overtaken.
UPDATE rule_event e SET state = 'over', closed_at = $3
WHERE e.rule = $1 AND e.state IN ('held', 'failed') AND EXISTS (
    SELECT FROM incoming i LEFT JOIN incoming first ON first.id = i.same_as
    WHERE i.id = e.incoming_id AND (i.identifier = ANY ($2::text[]) OR first.identifier = ANY ($2::text[])))
RETURNING e.id

-- name: miss
-- $1 source, $2 identifiers, $3 now, $4 why: what was withdrawn a moment ago is for somebody to see to.
UPDATE rule_event e SET state = 'failed', fault = $4, closed_at = NULL
WHERE e.rule = $1 AND e.state = 'over' AND e.closed_at > $3::timestamptz - interval '1 minute' AND EXISTS (
    SELECT FROM incoming i LEFT JOIN incoming first ON first.id = i.same_as
    WHERE i.id = e.incoming_id AND (i.identifier = ANY ($2::text[]) OR first.identifier = ANY ($2::text[])))

-- name: held_of
-- $1 identifiers: whether anything that was said under these is held.
SELECT EXISTS (
    SELECT FROM rule_event e JOIN incoming i ON i.id = e.incoming_id LEFT JOIN incoming first ON first.id = i.same_as
    WHERE e.state = 'held' AND (i.identifier = ANY ($1::text[]) OR first.identifier = ANY ($1::text[]))
)

-- name: went_out
-- $1 source, $2 alert: how it went out, if it did by itself.
SELECT deed FROM rule_event WHERE rule = $1 AND alert_id = $2 AND incoming_id IS NOT NULL AND state = 'issued' LIMIT 1

-- name: of_message
-- $1 message: what it, or the same by another source, led to by itself.
SELECT id, rule, version, mode, step, colour, deed, state, regions, said::text AS said, fault, alert_id, due_at, at, incoming_id,
       NULL AS eased, NULL AS body
FROM rule_event WHERE incoming_id = $1 OR incoming_id IN (SELECT i.id FROM incoming i WHERE i.same_as = $1) ORDER BY id DESC

-- name: due_event
-- $1 now, $2 but not these: an alert whose time for a veto is over. Of a rule, it waits until the rule has looked again, and as
-- long as the level that led to it does not hold.
SELECT e.id FROM rule_event e LEFT JOIN rule_standing s ON e.incoming_id IS NULL AND s.name = e.rule
WHERE e.state = 'held' AND e.due_at <= $1 AND e.id <> ALL ($2::integer[])
  AND (s.name IS NULL OR e.step = 'clear'
       OR (s.evaluated_at >= e.due_at - interval '1 minute' AND NOT coalesce((s.state ->> 'eased')::boolean, false)))
ORDER BY e.due_at LIMIT 1

-- name: take_held
-- $1 id: it, locked; nothing when it is held no more, or another is sending it.
SELECT e.id, e.rule, e.version, e.alert_id, e.regions, e.incoming_id FROM rule_event e
WHERE e.id = $1 AND e.state = 'held' FOR NO KEY UPDATE SKIP LOCKED

-- name: settle_event
-- $5: further reasons.
UPDATE rule_event SET state = $2, fault = $3, closed_at = $4, said = said || $5::text::jsonb WHERE id = $1 AND state = 'held'

-- name: close_event
-- $1 id, $2 the state that it gets, $3 those that it may have, $4 account, $5 now
UPDATE rule_event SET state = $2, closed_by = $4, closed_at = $5 WHERE id = $1 AND state = ANY ($3::text[])
RETURNING alert_id, rule, incoming_id

-- name: event
SELECT id, rule, version, mode, step, colour, deed, state, regions, said::text AS said, fault, alert_id, due_at, at, incoming_id,
       (SELECT (s.state ->> 'eased')::boolean FROM rule_standing s
        WHERE e.state = 'held' AND e.step <> 'clear' AND e.incoming_id IS NULL AND s.name = e.rule) AS eased,
       (SELECT d.body FROM decision d WHERE e.incoming_id IS NULL AND d.subject = 'rule' AND d.name = e.rule AND d.version = e.version) AS body
FROM rule_event e WHERE id = $1

-- name: open_events
-- $1 region prefixes, $2 how many: what somebody must see to.
SELECT id, rule, version, mode, step, colour, deed, state, regions, said::text AS said, fault, alert_id, due_at, at, incoming_id,
       (SELECT (s.state ->> 'eased')::boolean FROM rule_standing s
        WHERE e.state = 'held' AND e.step <> 'clear' AND e.incoming_id IS NULL AND s.name = e.rule) AS eased,
       (SELECT d.body FROM decision d WHERE e.incoming_id IS NULL AND d.subject = 'rule' AND d.name = e.rule AND d.version = e.version) AS body
FROM rule_event e
WHERE state IN ('open', 'held', 'failed')
  AND EXISTS (SELECT FROM unnest(e.regions) r, unnest($1::text[]) w WHERE starts_with(r, w) OR starts_with(w, r))
ORDER BY due_at NULLS LAST, id DESC LIMIT $2

-- name: called_off
-- $1 alert: that its last event would have sent it out, and is over; by whose veto.
SELECT coalesce(a.name, '') AS who, e.closed_at AS at FROM rule_event e LEFT JOIN account a ON a.id = e.closed_by
WHERE e.alert_id = $1 AND e.deed IN ('hold', 'issue') AND e.state IN ('vetoed', 'over') AND e.closed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM rule_event later WHERE later.alert_id = $1 AND later.id > e.id)

-- name: events
-- $1 rule, $2 how many
SELECT id, rule, version, mode, step, colour, deed, state, regions, said::text AS said, fault, alert_id, due_at, at, incoming_id,
       (SELECT (s.state ->> 'eased')::boolean FROM rule_standing s
        WHERE e.state = 'held' AND e.step <> 'clear' AND e.incoming_id IS NULL AND s.name = e.rule) AS eased,
       (SELECT d.body FROM decision d WHERE e.incoming_id IS NULL AND d.subject = 'rule' AND d.name = e.rule AND d.version = e.version) AS body
FROM rule_event e WHERE rule = $1 AND incoming_id IS NULL ORDER BY id DESC LIMIT $2

-- name: house_account
INSERT INTO account (name, password_hash, active, created_at, password_given, factor_seed, factor_on, factor_step)
VALUES ($1, '', true, $2, false, '', false, 0) ON CONFLICT (name) DO UPDATE SET active = account.active RETURNING id
