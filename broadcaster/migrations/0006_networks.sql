-- Which carrier a text message is for, where the office has an account with each of them.

-- The number segments that tell it; empty as long as no gateway is for one carrier only.
CREATE TABLE number_segment (
    prefix  text PRIMARY KEY,                  -- the first 3 or 4 digits; the longer one wins
    network text NOT NULL
);

ALTER TABLE batch ADD COLUMN network text NOT NULL DEFAULT ''; -- '': any gateway of the channel
