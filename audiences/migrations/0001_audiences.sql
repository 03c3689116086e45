-- What the load-carrying statements lean on; each index names its reader.

-- Selection by region prefix: counting the whole district reads only this index.
CREATE INDEX household_region ON household (region_code text_pattern_ops) INCLUDE (risk, size, active);
-- Selection by polygon and circle.
CREATE INDEX household_place ON household USING gist (point(lon, lat));
-- The few that are registered but not there: taken off when contacts are counted by region.
CREATE INDEX household_inactive ON household (region_code text_pattern_ops) WHERE NOT active;
-- Selection by tag. Most tag lists are empty; those rows cost nothing here.
CREATE INDEX household_tags ON household USING gin (tags) WITH (fastupdate = off);
CREATE INDEX region_prefix ON region (code text_pattern_ops);

-- The natural keys of contacts. The first is also the fan-out's way from a village's households to their addresses.
CREATE UNIQUE INDEX contact_of_household ON contact (household_id, medium, address) INCLUDE (priority, active)
    WHERE household_id IS NOT NULL;
CREATE UNIQUE INDEX contact_of_person ON contact (person_id, medium, address) WHERE household_id IS NULL;
-- A reply comes from an address.
CREATE INDEX contact_address ON contact (address text_pattern_ops);
-- Contacts of a whole district by medium, read from this index alone.
CREATE INDEX contact_region ON contact (region_code text_pattern_ops, medium) WHERE active AND household_id IS NOT NULL;

-- Somebody is looked for by the beginning of the name; the region lies in the index, so that homes of other regions cost
-- no look at the table.
CREATE INDEX household_name ON household (name text_pattern_ops) INCLUDE (region_code);
CREATE INDEX person_name ON person (name text_pattern_ops);

CREATE INDEX person_household ON person (household_id) WHERE household_id IS NOT NULL;
CREATE INDEX terminal_region ON terminal (region_code text_pattern_ops);
CREATE INDEX duty_region ON duty (region_code text_pattern_ops, role);
CREATE INDEX duty_person ON duty (person_id);
-- What rosters say: one row for a person, a region and a role. Shifts come beside it, as many as there are.
CREATE UNIQUE INDEX duty_standing ON duty (person_id, region_code, role) WHERE NOT shift;
CREATE UNIQUE INDEX duty_shift ON duty (person_id, region_code, role, valid_from) WHERE shift;
