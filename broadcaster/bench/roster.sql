-- An audience of a given size and nothing else, made in place: 25 towns of 20 villages of 10 grids, one phone a household.

-- name: regions
-- $1 the district's code and $2 its name.
INSERT INTO region (code, name, level, parent_code, lon, lat)
SELECT $1, $2, 1, NULL, 121.5, 29.8
UNION ALL
SELECT $1 || to_char(t, 'FM000'), '第' || t || '镇', 2, $1, 121.5, 29.8 FROM generate_series(1, 25) t
UNION ALL
SELECT $1 || to_char(t, 'FM000') || to_char(v, 'FM000'), '第' || t || '镇第' || v || '村', 3, $1 || to_char(t, 'FM000'), 121.5, 29.8
FROM generate_series(1, 25) t, generate_series(1, 20) v
UNION ALL
SELECT $1 || to_char(t, 'FM000') || to_char(v, 'FM000') || to_char(g, 'FM000'), '第' || g || '网格', 4,
       $1 || to_char(t, 'FM000') || to_char(v, 'FM000'), 121.5, 29.8
FROM generate_series(1, 25) t, generate_series(1, 20) v, generate_series(1, 10) g

-- name: households
-- $1 the district's code, $2 how many. One in ten is vulnerable; neighbours are stored beside each other, as after an import.
INSERT INTO household (id, external_id, region_code, name, address, lon, lat, tags, risk, size, active)
SELECT n, 'bench-' || n, g.code, '', '', 121.5, 29.8, '{}', CASE WHEN n % 10 = 0 THEN 20 ELSE 100 END, 3, true
FROM generate_series(1, $2::int) n
JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS place FROM region WHERE level = 4 AND starts_with(code, $1)) g
  ON g.place = (n - 1)::bigint * 5000 / $2::int
ORDER BY n

-- name: contacts
INSERT INTO contact (household_id, medium, address, region_code, priority, active)
SELECT id, 'phone', '1' || to_char(3000000000 + id, 'FM0000000000'), region_code, 0, true FROM household ORDER BY id
