"""The statements of the households import, in the order they run. `staged_household` holds the file's rows as read."""

from __future__ import annotations

from audiences.importing.differences import SHOWN, differing
from audiences.importing.staging import by_region

COLUMNS = (
    "row_number", "external_id", "region_code", "name", "address", "lon", "lat", "tags", "risk", "given_risk",
    "size", "active", "phones", "wechats", "emails", "members", "language", "partial",
)  # fmt: skip

CREATE = """
CREATE TEMPORARY TABLE staged_household (
    row_number integer, external_id text, region_code text, name text, address text, lon float8, lat float8,
    tags text[], risk smallint, given_risk smallint, size smallint, active boolean,
    phones text[], wechats text[], emails text[], members text[], language text,
    partial boolean  -- some contact in this row could not be read, so its silence about others proves nothing
) ON COMMIT DROP
"""

# A household of another region cannot be drawn over by naming its number.
DROP_FOREIGN = """
DELETE FROM staged_household s USING household h
WHERE h.external_id = s.external_id
  AND NOT EXISTS (SELECT FROM unnest($1::text[]) w WHERE starts_with(h.region_code, w))
RETURNING s.row_number, s.external_id AS key
"""

FIND_REPEATED = """
CREATE TEMPORARY TABLE repeated_household ON COMMIT DROP AS
SELECT external_id, min(row_number) AS first_row FROM staged_household GROUP BY external_id HAVING count(*) > 1
"""

# The same household in two regions: the first row stands.
DROP_CONTRADICTIONS = """
DELETE FROM staged_household s USING repeated_household r, staged_household f
WHERE s.external_id = r.external_id AND f.external_id = r.external_id AND f.row_number = r.first_row
  AND s.region_code <> f.region_code
RETURNING s.row_number, s.region_code, r.first_row
"""

_UNION = "string_to_array(string_agg(array_to_string({0}, E'\\x1f'), E'\\x1f' ORDER BY row_number), E'\\x1f')"
_FIRST = "(array_agg({0} ORDER BY row_number) FILTER (WHERE {0} IS NOT NULL))[1]"

# Several rows of one household become one: the first value of each field, all tags, the risk of all tags.
MERGE = f"""
CREATE TEMPORARY TABLE merged_household ON COMMIT DROP AS
SELECT m.*,
       CASE WHEN m.tags IS NOT NULL THEN (
           SELECT greatest(0, 100 - coalesce(sum(v.points), 0))::smallint
           FROM unnest($1::text[], $2::integer[]) AS v(tag, points) WHERE v.tag = ANY(m.tags)
       ) END AS risk
FROM (
    SELECT s.external_id, min(s.row_number) AS row_number, min(s.region_code) AS region_code,
           {_FIRST.format("s.name")} AS name, {_FIRST.format("s.address")} AS address,
           {_FIRST.format("s.lon")} AS lon, {_FIRST.format("s.lat")} AS lat,
           CASE WHEN bool_or(s.tags IS NOT NULL) THEN
               ARRAY(SELECT DISTINCT t FROM unnest({_UNION.format("s.tags")}) AS t WHERE t <> '' ORDER BY t)
           END AS tags,
           min(s.given_risk) AS given_risk, bool_or(s.active) AS active,
           coalesce(max(s.size), nullif(sum(cardinality(s.members)), 0))::smallint AS size
    FROM staged_household s JOIN repeated_household r USING (external_id)
    GROUP BY s.external_id
) m
"""

_FIELDS = (
    "row_number, external_id, region_code, name, address, lon, lat, tags, coalesce(given_risk, risk) AS risk, active"
)
# One row for each household of the file.
_ONCE = f"""(
    SELECT {_FIELDS}, coalesce(size, nullif(cardinality(members), 0))::smallint AS size FROM staged_household s
    WHERE NOT EXISTS (SELECT FROM repeated_household r WHERE r.external_id = s.external_id)
    UNION ALL
    SELECT {_FIELDS}, size FROM merged_household
)"""

COUNT_ONCE = f"SELECT count(*) FROM {_ONCE} AS once"

_ALL_FIELDS = ("region_code", "name", "address", "lon", "lat", "tags", "risk", "size", "active")
_COUNTED = ", ".join(
    f"count(*) FILTER (WHERE s.{name} IS NOT NULL AND s.{name} IS DISTINCT FROM h.{name}) AS {name}"
    for name in _ALL_FIELDS
)
# Of how many homes that are registered already each field is another in the file.
COUNT_FIELDS = f"SELECT {_COUNTED} FROM {_ONCE} AS s JOIN household h USING (external_id)"

# Which homes become others, and how.
DIFFERENCES = differing(
    "household", _ONCE, "r.external_id = s.external_id", "r.external_id", "r.region_code", _ALL_FIELDS
)

# Homes that are registered before the file is taken over: of a new one every number is new.
KNOWN = """
CREATE TEMPORARY TABLE known_household ON COMMIT DROP AS
SELECT h.id FROM household h WHERE EXISTS (SELECT FROM staged_household s WHERE s.external_id = h.external_id)
"""

# What the file does not say (no column, blank cell) stays as it is.
UPDATE = by_region(
    f"""
UPDATE household h
SET region_code = s.region_code, name = coalesce(s.name, h.name), address = coalesce(s.address, h.address),
    lon = coalesce(s.lon, h.lon), lat = coalesce(s.lat, h.lat), tags = coalesce(s.tags, h.tags),
    risk = coalesce(s.risk, h.risk), size = coalesce(s.size, h.size), active = coalesce(s.active, h.active)
FROM {_ONCE} AS s
WHERE h.external_id = s.external_id
  AND (h.region_code, h.name, h.address, h.lon, h.lat, h.tags, h.risk, h.size, h.active) IS DISTINCT FROM
      (s.region_code, coalesce(s.name, h.name), coalesce(s.address, h.address), coalesce(s.lon, h.lon),
       coalesce(s.lat, h.lat), coalesce(s.tags, h.tags), coalesce(s.risk, h.risk), coalesce(s.size, h.size),
       coalesce(s.active, h.active))
""",
    "h.region_code",
    "h.external_id",
)

# By region, so that a village's households lie together on disk.
INSERT = by_region(
    f"""
INSERT INTO household (external_id, region_code, name, address, lon, lat, tags, risk, size, active)
SELECT s.external_id, s.region_code, coalesce(s.name, ''), coalesce(s.address, ''), s.lon, s.lat,
       coalesce(s.tags, '{{}}'), coalesce(s.risk, 100), coalesce(s.size, 0), coalesce(s.active, true)
FROM {_ONCE} AS s
WHERE NOT EXISTS (SELECT FROM household h WHERE h.external_id = s.external_id)
ORDER BY s.region_code, s.row_number
""",
    "region_code",
    "external_id",
)

UPSERT_PEOPLE = """
WITH written AS (
    INSERT INTO person (external_id, household_id, name, language)
    SELECT DISTINCT ON (s.external_id, m.name)
           s.external_id || '/' || m.name, h.id, m.name, coalesce(s.language, 'zh-CN')
    FROM staged_household s JOIN household h USING (external_id), unnest(s.members) AS m(name)
    ORDER BY s.external_id, m.name, s.language NULLS LAST
    ON CONFLICT (external_id) DO UPDATE SET household_id = excluded.household_id, language = excluded.language
    WHERE (person.household_id, person.language) IS DISTINCT FROM (excluded.household_id, excluded.language)
    RETURNING xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS updated FROM written
"""

# A row that names one person gives that person's contacts; other rows give the household's.
STAGE_CONTACTS = """
CREATE TEMPORARY TABLE staged_contact ON COMMIT DROP AS
SELECT h.id AS household_id, h.region_code, s.row_number, c.medium, a.address, (a.ordinal - 1)::smallint AS priority,
       CASE WHEN cardinality(s.members) = 1 THEN
           (SELECT p.id FROM person p WHERE p.external_id = s.external_id || '/' || s.members[1])
       END AS person_id
FROM staged_household s
JOIN household h USING (external_id)
CROSS JOIN LATERAL (VALUES ('phone', s.phones), ('wechat', s.wechats), ('email', s.emails)) AS c(medium, addresses)
CROSS JOIN LATERAL unnest(c.addresses) WITH ORDINALITY AS a(address, ordinal)
"""

MERGE_CONTACTS = """
DELETE FROM staged_contact s USING (
    SELECT ctid, row_number() OVER (
        PARTITION BY household_id, medium, address ORDER BY person_id NULLS LAST, row_number
    ) AS place FROM staged_contact
) d WHERE s.ctid = d.ctid AND d.place > 1
"""

# Addresses that a registered home gets.
DIFFERENT_CONTACTS = f"""
SELECT s.row_number AS row, h.external_id AS key, h.region_code AS region, count(*) OVER () AS total, s.medium,
       '' AS old_address, s.address AS new_address
FROM staged_contact s JOIN known_household k ON k.id = s.household_id JOIN household h ON h.id = s.household_id
LEFT JOIN contact c ON c.household_id = s.household_id AND c.medium = s.medium AND c.address = s.address
WHERE c.active IS NOT TRUE
ORDER BY s.row_number LIMIT {SHOWN}
"""

UPSERT_CONTACTS = """
WITH written AS (
    INSERT INTO contact (household_id, person_id, medium, address, region_code, priority, active)
    SELECT household_id, person_id, medium, address, region_code, priority, true FROM staged_contact
    ORDER BY household_id
    ON CONFLICT (household_id, medium, address) WHERE household_id IS NOT NULL DO UPDATE
    SET person_id = coalesce(excluded.person_id, contact.person_id), region_code = excluded.region_code,
        priority = excluded.priority, active = true
    WHERE (contact.person_id, contact.region_code, contact.priority, contact.active) IS DISTINCT FROM
          (coalesce(excluded.person_id, contact.person_id), excluded.region_code, excluded.priority, true)
    RETURNING xmax = 0 AS added, left(region_code, 12) AS region
)
SELECT region, added, count(*) AS n, '' AS example FROM written GROUP BY region, added
"""

COUNT_CONTACTS = "SELECT count(*) FROM staged_contact"

# The file lists a household's contacts in full, for each medium that it has a column for.
_LISTED = """(
    SELECT h.id, h.external_id, h.region_code, min(s.row_number) AS row_number, bool_or(s.partial) AS partial
    FROM staged_household s JOIN household h USING (external_id) GROUP BY h.id
)"""
_UNLISTED = """
c.household_id = listed.id AND NOT listed.partial AND c.active AND c.medium = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM staged_contact s
                  WHERE s.household_id = c.household_id AND s.medium = c.medium AND s.address = c.address)
"""
DEACTIVATE_CONTACTS = by_region(
    f"UPDATE contact c SET active = false FROM {_LISTED} AS listed WHERE {_UNLISTED}", "c.region_code"
)

# Addresses that a home loses.
UNLISTED_CONTACTS = f"""
SELECT listed.row_number AS row, listed.external_id AS key, listed.region_code AS region, count(*) OVER () AS total,
       c.medium, c.address AS old_address, '' AS new_address
FROM contact c JOIN {_LISTED} AS listed ON {_UNLISTED}
ORDER BY listed.row_number LIMIT {SHOWN}
"""

# Contacts carry their household's region; those that the file does not name move with it too.
MOVE_CONTACTS = """
UPDATE contact c SET region_code = h.region_code
FROM staged_household s JOIN household h USING (external_id)
WHERE c.household_id = h.id AND c.region_code <> h.region_code
"""

DROP = """
DROP TABLE IF EXISTS staged_household, repeated_household, merged_household, staged_contact, known_household
"""
