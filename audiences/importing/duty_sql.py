"""The statements of the duties import, in the order they run. `staged_duty` holds the file's rows as read."""

from __future__ import annotations

from audiences.importing.differences import SHOWN, differing
from audiences.importing.staging import by_region

COLUMNS = (
    "row_number", "person", "name", "language", "region_code", "role", "rank", "valid_from", "valid_to",
    "phones", "wechats", "emails", "partial",
)  # fmt: skip

CREATE = """
CREATE TEMPORARY TABLE staged_duty (
    row_number integer, person text, name text, language text, region_code text, role text, rank text,
    valid_from timestamptz, valid_to timestamptz, phones text[], wechats text[], emails text[],
    partial boolean  -- some contact in this row could not be read, so its silence about others proves nothing
) ON COMMIT DROP
"""

# Somebody who lives or serves outside ($1 the regions inside, $2 now): not this import's to change.
DROP_FOREIGN = """
DELETE FROM staged_duty s USING person p
WHERE p.external_id = s.person AND (
    EXISTS (SELECT FROM duty d WHERE d.person_id = p.id AND (d.valid_to IS NULL OR d.valid_to > $2)
            AND NOT EXISTS (SELECT FROM unnest($1::text[]) w WHERE starts_with(d.region_code, w)))
    OR EXISTS (SELECT FROM household h WHERE h.id = p.household_id
               AND NOT EXISTS (SELECT FROM unnest($1::text[]) w WHERE starts_with(h.region_code, w)))
)
RETURNING s.row_number, s.region_code AS key
"""

UPSERT_PEOPLE = """
WITH written AS (
    INSERT INTO person (external_id, household_id, name, language)
    SELECT DISTINCT ON (person) person, NULL::bigint, name, coalesce(language, 'zh-CN')
    FROM staged_duty ORDER BY person, row_number DESC
    ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, language = excluded.language
    WHERE (person.name, person.language) IS DISTINCT FROM (excluded.name, excluded.language)
    RETURNING xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS updated FROM written
"""

# Phones come before WeChat and mail; within each, as written.
STAGE_CONTACTS = """
CREATE TEMPORARY TABLE staged_duty_contact ON COMMIT DROP AS
SELECT DISTINCT ON (p.id, c.medium, a.address)
       p.id AS person_id, c.medium, a.address, (a.ordinal - 1)::smallint AS priority
FROM staged_duty s
JOIN person p ON p.external_id = s.person
CROSS JOIN LATERAL (VALUES ('phone', s.phones), ('wechat', s.wechats), ('email', s.emails)) AS c(medium, addresses)
CROSS JOIN LATERAL unnest(c.addresses) WITH ORDINALITY AS a(address, ordinal)
ORDER BY p.id, c.medium, a.address, a.ordinal
"""

UPSERT_CONTACTS = """
WITH written AS (
    INSERT INTO contact (household_id, person_id, medium, address, region_code, priority, active)
    SELECT NULL::bigint, person_id, medium, address, '', priority, true FROM staged_duty_contact
    ON CONFLICT (person_id, medium, address) WHERE household_id IS NULL DO UPDATE
    SET priority = excluded.priority, active = true
    WHERE (contact.priority, contact.active) IS DISTINCT FROM (excluded.priority, true)
    RETURNING xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE NOT added) AS updated FROM written
"""

# The file lists a person's contacts in full, for each medium that it has a column for.
DEACTIVATE_CONTACTS = """
UPDATE contact c SET active = false
FROM (SELECT p.id, bool_or(s.partial) AS partial
      FROM staged_duty s JOIN person p ON p.external_id = s.person GROUP BY p.id) AS listed
WHERE c.person_id = listed.id AND c.household_id IS NULL AND NOT listed.partial AND c.active
  AND c.medium = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM staged_duty_contact s
                  WHERE s.person_id = c.person_id AND s.medium = c.medium AND s.address = c.address)
"""

# The last row about a duty stands.
DROP_REPEATED = """
DELETE FROM staged_duty s USING staged_duty later
WHERE (later.person, later.region_code, later.role) = (s.person, s.region_code, s.role)
  AND later.row_number > s.row_number
"""

# People who get another name or language.
DIFFERENT_PEOPLE = differing(
    "person",
    "(SELECT DISTINCT ON (person) person, row_number, region_code, name, language FROM staged_duty"
    " ORDER BY person, row_number DESC)",
    "r.external_id = s.person",
    "r.external_id",
    "s.region_code",
    ("name", "language"),
)

# Duties that are held already and become others.
DIFFERENT_DUTIES = differing(
    "(SELECT d.*, p.external_id FROM duty d JOIN person p ON p.id = d.person_id WHERE NOT d.shift)",
    "staged_duty",
    "(r.external_id, r.region_code, r.role) = (s.person, s.region_code, s.role)",
    "r.external_id",
    "r.region_code",
    ("rank", "valid_from", "valid_to"),
    complete=("valid_to",),
)

# Shifts are arranged by hand and no roster's business. Without a date a duty begins
# now; one that is held already keeps its beginning.
UPSERT_DUTIES = """
WITH written AS (
    INSERT INTO duty (person_id, region_code, role, rank, valid_from, valid_to)
    SELECT p.id, s.region_code, s.role, s.rank, coalesce(s.valid_from, held.valid_from, $1), s.valid_to
    FROM staged_duty s JOIN person p ON p.external_id = s.person
    LEFT JOIN duty held
      ON (held.person_id, held.region_code, held.role) = (p.id, s.region_code, s.role) AND NOT held.shift
    ON CONFLICT (person_id, region_code, role) WHERE NOT shift DO UPDATE
    SET rank = excluded.rank, valid_from = excluded.valid_from, valid_to = excluded.valid_to
    WHERE (duty.rank, duty.valid_from, duty.valid_to) IS DISTINCT FROM
          (excluded.rank, excluded.valid_from, excluded.valid_to)
    RETURNING xmax = 0 AS added, left(region_code, 12) AS region, role
)
SELECT region, added, count(*) AS n, min(role) AS example FROM written GROUP BY region, added
"""

_UNLISTED = """
NOT d.shift AND (d.valid_to IS NULL OR d.valid_to > $1)
  AND EXISTS (SELECT FROM staged_duty s WHERE (s.region_code, s.role) = (d.region_code, d.role))
  AND NOT EXISTS (SELECT FROM staged_duty s JOIN person p ON p.external_id = s.person
                  WHERE (p.id, s.region_code, s.role) = (d.person_id, d.region_code, d.role))
"""
END_UNLISTED = by_region(f"UPDATE duty d SET valid_to = $1 WHERE {_UNLISTED}", "d.region_code", "d.role")

# Duties that end because nobody is listed for them any more who holds them.
UNLISTED_DUTIES = f"""
SELECT 0 AS row, p.external_id AS key, d.region_code AS region, count(*) OVER () AS total,
       coalesce(to_jsonb(d.valid_to) #>> '{{}}', '') AS old_valid_to,
       to_jsonb($1::timestamptz) #>> '{{}}' AS new_valid_to
FROM duty d JOIN person p ON p.id = d.person_id WHERE {_UNLISTED}
ORDER BY d.region_code, d.id LIMIT {SHOWN}
"""

COUNT_LISTED = """
SELECT (SELECT count(DISTINCT person) FROM staged_duty) AS people,
       (SELECT count(*) FROM staged_duty_contact) AS contacts,
       (SELECT count(*) FROM staged_duty) AS duties
"""

DROP = "DROP TABLE staged_duty, staged_duty_contact"
