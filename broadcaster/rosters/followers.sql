-- Followers of an official account: from the code that somebody scanned to the home that hears of it.

-- name: latest
-- By the platform's clock: what happened before it comes too late.
SELECT greatest(followed_at, left_at) FROM follower WHERE gateway = $1 AND address = $2 FOR UPDATE

-- name: began
-- Follows (again), perhaps by a region's code; what was switched off when it left is given back to be switched on.
INSERT INTO follower AS f (gateway, address, region, followed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (gateway, address) DO UPDATE
SET region = CASE WHEN excluded.region = '' THEN f.region ELSE excluded.region END,
    followed_at = CASE WHEN f.left_at IS NULL THEN f.followed_at ELSE excluded.followed_at END, left_at = NULL
RETURNING region, switched_off

-- name: returned
UPDATE contact SET active = true WHERE id = ANY($1::bigint[]) AND medium = 'wechat' AND address = $2 AND NOT active
RETURNING id

-- name: left
UPDATE contact SET active = false WHERE medium = 'wechat' AND address = $1 AND active RETURNING id

-- name: note_left
INSERT INTO follower AS f (gateway, address, followed_at, left_at, switched_off) VALUES ($1, $2, $4, $4, $3)
ON CONFLICT (gateway, address) DO UPDATE SET left_at = $4, switched_off = f.switched_off || $3

-- name: note_returned
UPDATE follower SET switched_off = '{}' WHERE gateway = $1 AND address = $2

-- name: region
SELECT name FROM region WHERE code = $1

-- name: bound
-- Whether a home in the region hears of it already.
SELECT EXISTS (
    SELECT FROM contact WHERE medium = 'wechat' AND address = $1 AND active AND household_id IS NOT NULL
    AND starts_with(region_code, $2)
)

-- name: follower
-- Whoever speaks has one turn at a time.
SELECT region, heard_id, answered FROM follower WHERE gateway = $1 AND address = $2 AND left_at IS NULL FOR UPDATE

-- name: answered
UPDATE follower SET heard_id = $3, answered = $4 WHERE gateway = $1 AND address = $2

-- name: asked
-- How often this follower named a number since $3, and how often anybody named this one.
SELECT count(*) FILTER (WHERE gateway = $1 AND address = $2) AS own, count(*) FILTER (WHERE number = $4) AS same
FROM follower_proof WHERE asked_at > $3 AND (gateway = $1 AND address = $2 OR number = $4)

-- name: homes
-- The homes of a region that have the number: two are enough to know that it is not one.
SELECT DISTINCT h.id
FROM contact c JOIN household h ON h.id = c.household_id AND h.active
WHERE c.address = $1 AND c.medium = 'phone' AND c.active AND starts_with(h.region_code, $2)
LIMIT 2

-- name: forget
DELETE FROM follower_proof WHERE asked_at < $1

-- name: ask
INSERT INTO follower_proof (gateway, address, number, household_id, code, asked_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: proof
SELECT id, household_id, code, tries FROM follower_proof
WHERE gateway = $1 AND address = $2 AND asked_at > $3 AND proved_at IS NULL
  AND id = (SELECT max(id) FROM follower_proof WHERE gateway = $1 AND address = $2)

-- name: tried
UPDATE follower_proof SET tries = tries + 1 WHERE id = $1

-- name: proved
UPDATE follower_proof SET proved_at = $2 WHERE id = $1

-- name: home
SELECT EXISTS (SELECT FROM household WHERE id = $1 AND active)

-- name: invitations
SELECT region, content FROM invitation WHERE gateway = $1 AND region = ANY($2::text[])

-- name: invited
INSERT INTO invitation (gateway, region, content, made_at) SELECT $1, r.region, r.content, $4
FROM unnest($2::text[], $3::text[]) AS r(region, content)
ON CONFLICT (gateway, region) DO UPDATE SET content = excluded.content, made_at = excluded.made_at
