-- Who follows an official account, and how it was proved to whose home that belongs.

CREATE TABLE follower (
    gateway      text NOT NULL,
    address      text NOT NULL,                       -- openid
    region       text NOT NULL DEFAULT '',            -- whose code was scanned last; '' when none was
    followed_at  timestamptz NOT NULL,
    left_at      timestamptz,
    switched_off bigint[] NOT NULL DEFAULT '{}',      -- the contacts that were switched off because it was left
    heard_id     text NOT NULL DEFAULT '',            -- what was said last and what was answered: the platform may say it
    answered     text NOT NULL DEFAULT '',            -- again when our answer was late
    PRIMARY KEY (gateway, address)
);

-- A number that a follower named, and the code that was sent there if it is some home's. Kept for two days.
CREATE TABLE follower_proof (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway      text NOT NULL,
    address      text NOT NULL,
    number       bytea NOT NULL,                      -- keyed digest
    household_id bigint,                              -- NULL: the number is not that of one home in the region
    code         bytea NOT NULL,                      -- keyed digest
    asked_at     timestamptz NOT NULL,
    tries        smallint NOT NULL DEFAULT 0,
    proved_at    timestamptz
);
CREATE INDEX follower_proof_address ON follower_proof (gateway, address, id DESC);
CREATE INDEX follower_proof_number ON follower_proof (number, asked_at);
CREATE INDEX follower_proof_age ON follower_proof (asked_at);

-- The codes that the platform made for regions: they never end, and there are 100,000 of them.
CREATE TABLE invitation (
    gateway text NOT NULL,
    region  text NOT NULL,
    content text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, region)
);

-- A message of its own to one address, outside of any alert (a code): sent as trials are. NULL: it is a trial. It waits as
-- 'saying', which programs that know no such messages leave alone.
ALTER TABLE gateway_trial ADD COLUMN body text;
CREATE INDEX gateway_trial_saying ON gateway_trial (gateway_id) WHERE state = 'saying';
CREATE INDEX gateway_trial_said ON gateway_trial (asked_at) WHERE body IS NOT NULL;
