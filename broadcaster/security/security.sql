-- What the pages of administration read.

-- name: accounts
-- Every grant lies inside one of the prefixes; an account without grants belongs to whoever has them all.
SELECT a.id, a.name, a.active, a.created_at, a.factor_on, a.password_given,
  coalesce((SELECT array_agg(g.role || '@' || g.region_code ORDER BY g.region_code, g.id)
            FROM account_grant g WHERE g.account_id = a.id), '{}') AS grants,
  (SELECT max(c.used_at) FROM credential c WHERE c.account_id = a.id) AS seen_at
FROM account a
WHERE a.name > $3 AND a.name ILIKE $2
  AND NOT EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id AND NOT g.region_code LIKE ANY ($1::text[]))
  AND ('%' = ANY ($1::text[]) OR EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id))
ORDER BY a.name
LIMIT $4

-- name: account
SELECT a.id, a.name, a.active, a.created_at, a.factor_on, a.password_given,
  coalesce((SELECT array_agg(g.role || '@' || g.region_code ORDER BY g.region_code, g.id)
            FROM account_grant g WHERE g.account_id = a.id), '{}') AS grants,
  (SELECT max(c.used_at) FROM credential c WHERE c.account_id = a.id) AS seen_at
FROM account a
WHERE a.id = $2
  AND NOT EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id AND NOT g.region_code LIKE ANY ($1::text[]))
  AND ('%' = ANY ($1::text[]) OR EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id))

-- name: credentials
SELECT id, kind, label, created_at, expires_at, ended_at, used_at, strong
FROM credential WHERE account_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 100

-- name: names
SELECT id, name FROM account WHERE id = ANY ($1::int[])

-- name: accounts_inside
-- Which of these accounts lie inside the prefixes, as above.
SELECT a.id FROM account a
WHERE a.id = ANY ($2::int[])
  AND NOT EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id AND NOT g.region_code LIKE ANY ($1::text[]))
  AND EXISTS (SELECT FROM account_grant g WHERE g.account_id = a.id)

-- name: account_named
SELECT id FROM account WHERE name = $1
