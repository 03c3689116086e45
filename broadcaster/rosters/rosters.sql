-- Rosters: one home, imports over the web, shifts, dead numbers.

-- name: household
SELECT h.id, h.external_id, h.region_code, h.name, h.address, h.lon, h.lat, h.tags, h.risk, h.size, h.active
FROM household h WHERE h.id = $1

-- name: members
SELECT p.id, p.name, p.language FROM person p WHERE p.household_id = $1 ORDER BY p.id LIMIT 100

-- name: household_contacts
SELECT c.id, c.medium, c.address, c.priority, c.active, coalesce(p.name, '') AS person
FROM contact c LEFT JOIN person p ON p.id = c.person_id
WHERE c.household_id = $1
ORDER BY c.active DESC, array_position('{phone,wechat,email}', c.medium), c.priority, c.id LIMIT 100

-- name: household_alerts
-- What the last $2 alerts were to this home: each is one look-up by its key. $3: the oldest that is told.
SELECT t.alert_id, a.headline, a.identifier, a.status, r.opened_at, t.state, t.village,
       coalesce(t.reached_by, '') AS reached_by, t.reached_at
FROM (SELECT alert_id, opened_at FROM run WHERE opened_at > $3 ORDER BY alert_id DESC LIMIT $2) r
JOIN target t ON t.alert_id = r.alert_id AND t.household_id = $1
JOIN alert a ON a.id = r.alert_id
ORDER BY t.alert_id DESC

-- name: household_deliveries
-- The deliveries to this home under the alerts $2 (villages $3, pairwise): deliveries are not kept by household, but those
-- of a village lie together, in its batches.
SELECT d.alert_id, d.ordinal, b.channel, d.state, d.address, d.settled_at, d.submitted_at, coalesce(d.reason, '') AS reason
FROM unnest($2::int[], $3::text[]) AS t(alert_id, village)
JOIN batch b ON b.alert_id = t.alert_id AND b.region = t.village
JOIN delivery d ON d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last
WHERE d.household_id = $1
ORDER BY d.alert_id DESC, d.ordinal LIMIT 200

-- name: contact_to_change
SELECT c.id, c.medium, c.address, c.active, h.region_code
FROM household h LEFT JOIN contact c ON c.household_id = h.id AND c.id = $2
WHERE h.id = $1 FOR UPDATE OF h

-- name: contact_like
SELECT id FROM contact WHERE household_id = $1 AND medium = $2 AND address = $3

-- name: contact_readdress
UPDATE contact SET address = $2, active = true WHERE id = $1

-- name: contact_switch
UPDATE contact SET active = $2 WHERE id = $1

-- name: contact_add
INSERT INTO contact (household_id, medium, address, region_code, priority, active)
SELECT h.id, $2::text, $3::text, h.region_code,
       coalesce((SELECT max(priority) + 1 FROM contact c WHERE c.household_id = h.id AND c.medium = $2::text), 0)::smallint, true
FROM household h WHERE h.id = $1
ON CONFLICT (household_id, medium, address) WHERE household_id IS NOT NULL DO UPDATE SET active = true
RETURNING id

-- name: import_open
SELECT count(*) FROM roster_import WHERE account_id = $1 AND state IN ('examine', 'examined', 'apply')

-- name: import_add
INSERT INTO roster_import (account_id, kind, suffix, filename, bytes, complete, within, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id

-- name: import_piece
INSERT INTO roster_piece (import_id, number, bytes) VALUES ($1, $2, $3)

-- name: import_pieces
SELECT bytes FROM roster_piece WHERE import_id = $1 ORDER BY number

-- name: import_forget
DELETE FROM roster_piece WHERE import_id = $1

-- name: imports
SELECT id, account_id, kind, suffix, filename, bytes, complete, within, state, rows, share, report::text AS report, fault,
       created_at, ended_at
FROM roster_import WHERE account_id = $1 AND ($2::int IS NULL OR id = $2) ORDER BY id DESC LIMIT $3

-- name: import_confirm
UPDATE roster_import SET state = 'apply', within = $3, rows = 0, share = 0, tries = 0, owner = NULL, lease_until = NULL
WHERE id = $1 AND account_id = $2 AND state = 'examined' RETURNING id

-- name: import_discard
-- What the report says of single records is forgotten with the file.
UPDATE roster_import SET state = 'discarded', ended_at = $3, report = report - 'differences'
WHERE id = $1 AND account_id = $2 AND state IN ('examine', 'examined') RETURNING id

-- name: import_claim
-- The next roster that nobody works at; whoever falls silent loses it.
UPDATE roster_import SET owner = $1, lease_until = clock_timestamp() + make_interval(secs => $2), tries = tries + 1
WHERE id = (
    SELECT id FROM roster_import
    WHERE state IN ('examine', 'apply') AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND tries < $3
    ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING id, account_id, kind, suffix, complete, within, state

-- name: import_hold
UPDATE roster_import SET rows = $3, share = $4, lease_until = clock_timestamp() + make_interval(secs => $5)
WHERE id = $1 AND owner = $2 AND state IN ('examine', 'apply')

-- name: import_end
-- Only for whoever holds it: a worker that was taken for dead must not finish what another has taken up.
UPDATE roster_import
SET state = $3, report = coalesce($4::text::jsonb, report), fault = $5, ended_at = $6, share = 1, owner = NULL,
    lease_until = NULL
WHERE id = $1 AND owner = $2 AND state IN ('examine', 'apply') RETURNING id

-- name: import_give_up
UPDATE roster_import SET state = 'failed', fault = $2, ended_at = $3, owner = NULL, lease_until = NULL
WHERE state IN ('examine', 'apply') AND tries >= $1 AND lease_until < clock_timestamp() RETURNING id

-- name: import_lapse
-- What nobody said yes to for a day is given up, and its file with it.
UPDATE roster_import SET state = 'discarded', ended_at = $1, report = report - 'differences'
WHERE state = 'examined' AND created_at < $2 RETURNING id

-- name: import_sweep
DELETE FROM roster_piece p USING roster_import i
WHERE i.id = p.import_id AND i.state IN ('done', 'failed', 'discarded')

-- name: duty
SELECT d.id, d.person_id, p.name, d.region_code, coalesce(r.name, '') AS region_name, d.role, d.rank, d.valid_from, d.valid_to,
       d.shift
FROM duty d JOIN person p ON p.id = d.person_id LEFT JOIN region r ON r.code = d.region_code
WHERE d.id = $1

-- name: candidates
-- Who could stand in: people with a duty in the same town (or county, for what lies above towns), the nearest first.
SELECT person_id AS id, name, region_code, region_name, role FROM (
    SELECT DISTINCT ON (d.person_id) d.person_id, p.name, d.region_code, coalesce(r.name, '') AS region_name, d.role,
           CASE WHEN d.region_code = $1 THEN 0 WHEN left(d.region_code, 12) = left($1, 12) THEN 1 ELSE 2 END AS far
    FROM duty d JOIN person p ON p.id = d.person_id LEFT JOIN region r ON r.code = d.region_code
    WHERE d.region_code ~>=~ left($1, 9) AND d.region_code ~<~ (left($1, 9) || ':')
      AND (d.valid_to IS NULL OR d.valid_to > $3)
      AND NOT EXISTS (SELECT FROM duty h WHERE h.person_id = d.person_id AND h.region_code = $1 AND h.role = $2
                      AND NOT h.shift AND (h.valid_to IS NULL OR h.valid_to > $3))
    ORDER BY d.person_id, far, d.role = $2 DESC, d.id
) near ORDER BY far, role = $2 DESC, region_code, person_id LIMIT 60

-- name: lock_region
SELECT pg_advisory_xact_lock(hashtext('rosters.shift.' || $1))

-- name: overlapping
SELECT EXISTS (SELECT FROM duty WHERE person_id = $1 AND region_code = $2 AND role = $3
               AND valid_from < $5 AND (valid_to IS NULL OR valid_to > $4))

-- name: add_shift
INSERT INTO duty (person_id, region_code, role, rank, valid_from, valid_to, shift, stands_in_for)
VALUES ($1, $2, $3, $4, $5, $6, true, $7) RETURNING id

-- name: end_shift
UPDATE duty SET valid_to = $2 WHERE id = $1 AND shift AND (valid_to IS NULL OR valid_to > $2)

-- name: remove_shift
DELETE FROM duty WHERE id = $1 AND shift AND valid_from > $2

-- name: dead
-- Addresses that failed, for a reason that $3 takes for their end, under at least $2 of the last $1 alerts since $4 without
-- anything delivered in between. Two passes over those alerts' deliveries: the failures, then what was delivered to the few
-- that failed. Deliveries are not kept by contact, so the passes are bounded: no alert is looked at behind $9 deliveries of
-- later ones. A number that was corrected since is another address. $5 the regions that may be seen, $6 the contact behind
-- which the page begins, $7 rows, $8 only these contacts (NULL: all).
WITH recent AS (
    SELECT alert_id FROM (
        SELECT r.alert_id, sum(coalesce(o.next, 0)) OVER (ORDER BY r.alert_id DESC) - coalesce(o.next, 0) AS later
        FROM run r LEFT JOIN run_ordinal o USING (alert_id) WHERE NOT r.rehearsal AND r.opened_at > $4
        ORDER BY r.alert_id DESC LIMIT $1
    ) AS latest WHERE later < $9
), failed AS (
    SELECT d.contact_id, d.address, d.alert_id, max(d.settled_at) AS at, max(d.reason) AS reason
    FROM recent JOIN delivery d USING (alert_id)
    WHERE d.state = 5 AND d.contact_id > $6 AND d.reason ~* $3 AND ($8::bigint[] IS NULL OR d.contact_id = ANY($8))
    GROUP BY 1, 2, 3
), suspect AS (
    SELECT contact_id, address FROM failed GROUP BY 1, 2 HAVING count(*) >= $2
), alive AS (
    SELECT s.contact_id, max(d.alert_id) AS alert_id
    FROM recent JOIN delivery d USING (alert_id) JOIN suspect s ON s.contact_id = d.contact_id
    WHERE d.state = 6 GROUP BY 1
), dead AS (
    SELECT f.contact_id, f.address, count(*) AS failures, max(f.at) AS last_at,
           (array_agg(f.reason ORDER BY f.alert_id DESC))[1] AS reason, max(f.alert_id) AS alert_id
    FROM suspect s JOIN failed f USING (contact_id, address) LEFT JOIN alive a ON a.contact_id = f.contact_id
    WHERE f.alert_id > coalesce(a.alert_id, 0) GROUP BY 1, 2 HAVING count(*) >= $2
)
SELECT c.id, c.household_id, c.person_id, c.medium, c.address, place.region, coalesce(r.name, '') AS region_name,
       coalesce(h.name, p.name, '') AS name, coalesce(h.external_id, '') AS household, x.failures, x.last_at, x.reason,
       x.alert_id
FROM dead x
JOIN contact c ON c.id = x.contact_id AND c.address = x.address AND c.active
LEFT JOIN household h ON h.id = c.household_id
LEFT JOIN person p ON p.id = c.person_id
CROSS JOIN LATERAL (SELECT coalesce(h.region_code,
    (SELECT d.region_code FROM duty d WHERE d.person_id = c.person_id ORDER BY d.shift, d.id LIMIT 1), '') AS region) place
LEFT JOIN region r ON r.code = place.region
WHERE EXISTS (SELECT FROM unnest($5::text[]) AS s WHERE starts_with(place.region, s))
ORDER BY c.id LIMIT $7

-- name: bury
UPDATE contact SET active = false WHERE id = ANY($1::bigint[]) AND active RETURNING id, household_id, region_code
