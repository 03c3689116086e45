-- What keeps an installation in order: the processes at work, what the office decided, and the archive of what is over.

-- Every long-running process says here every few seconds that it lives, which schema it knows, and how it fares.
CREATE TABLE process (
    name       text PRIMARY KEY,
    kind       text NOT NULL,                  -- worker | serve
    knows      integer NOT NULL,               -- the schema version of its program
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    figures    jsonb NOT NULL DEFAULT '{}'     -- gauges, name → number
) WITH (fillfactor = 50);

-- What the office has decided in the console, over what comes with the house and what daohu.toml says: message templates and
-- policies. Every version stays, the newest holds.
CREATE TABLE decision (
    subject    text NOT NULL CHECK (subject IN ('template', 'policy')),
    name       text NOT NULL,                  -- typhoon/wording.zh-CN.j2; red
    version    integer NOT NULL,               -- from 1
    body       text,                           -- NULL: what it was decided over holds again
    note       text NOT NULL,                  -- why
    account_id bigint NOT NULL,
    saved_at   timestamptz NOT NULL,
    PRIMARY KEY (subject, name, version)
);

-- What a process and each gateway said to each other last, as the process tells with its signs of life; kept for a while
-- after its end, so that what went before it is seen.
CREATE TABLE gateway_exchange (
    process  text NOT NULL,
    gateway  text NOT NULL,
    lines    jsonb NOT NULL,                   -- at, direction, text; redacted by the driver, bounded
    told_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (process, gateway)
) WITH (fillfactor = 50);

-- One message through one gateway, to see that it works; no alert and no part of one. Sent once at the most.
CREATE TABLE gateway_trial (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL UNIQUE,           -- of the form: sent twice, it is one trial
    gateway_id smallint NOT NULL,
    rehearsal  boolean NOT NULL,               -- the side of the wall on which it was asked for
    address    text NOT NULL,                  -- '' once it is over
    asked_by   bigint NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,           -- not sent after
    state      text NOT NULL DEFAULT 'waiting',
    worker     text NOT NULL DEFAULT '',
    reason     text NOT NULL DEFAULT '',
    ref        text,                           -- the gateway's own message id
    answered_at timestamptz,
    receipt_at timestamptz
);
CREATE INDEX gateway_trial_waiting ON gateway_trial (gateway_id) WHERE state = 'waiting';
CREATE INDEX gateway_trial_ref ON gateway_trial (ref, gateway_id) WHERE ref IS NOT NULL;
CREATE INDEX gateway_trial_latest ON gateway_trial (gateway_id, id DESC);

-- An alert whose rows are in the archive. What is sealed is safe there; what is emptied has left the ledger.
CREATE TABLE archive (
    alert_id   integer PRIMARY KEY,
    state      text NOT NULL DEFAULT 'sealed' CHECK (state IN ('sealed', 'emptied')),
    folder     text NOT NULL,                  -- its name in the archive's folder
    digest     text NOT NULL,                  -- SHA-256 of its manifest, which holds that of every file
    rows       bigint NOT NULL,
    bytes      bigint NOT NULL,
    sealed_at  timestamptz NOT NULL,
    emptied_at timestamptz,
    first_submit_at    timestamptz,            -- when a gateway took the first message
    reached_half_at    timestamptz,            -- when 50, 90, 99 of 100 households had been reached; NULL: never
    reached_most_at    timestamptz,
    reached_all_but_at timestamptz
);

-- The deliveries of an archived alert by channel and state, as its tallies had them.
CREATE TABLE archived_count (
    alert_id   integer NOT NULL,
    channel    text NOT NULL,
    queued     integer NOT NULL,
    unknown    integer NOT NULL,
    expired    integer NOT NULL,
    cancelled  integer NOT NULL,
    submitted  integer NOT NULL,
    failed     integer NOT NULL,
    delivered  integer NOT NULL,
    duplicates integer NOT NULL,
    PRIMARY KEY (alert_id, channel)
);

-- A roster that somebody gave over the web. It is examined first; only when its giver says so is it taken over.
CREATE TABLE roster_import (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL,              -- who gave it; nobody else sees it
    kind        text NOT NULL,                 -- regions | households | duties | terminals
    suffix      text NOT NULL,                 -- .csv | .xlsx | .geojson
    filename    text NOT NULL,
    bytes       bigint NOT NULL,
    complete    boolean NOT NULL,              -- duties: who is not listed holds the duty no longer
    within      text[] NOT NULL,               -- the regions it may touch
    state       text NOT NULL DEFAULT 'examine', -- examine | examined | apply | done | failed | discarded
    rows        integer NOT NULL DEFAULT 0,    -- read so far
    share       real NOT NULL DEFAULT 0,       -- of the work under way, 0 to 1
    owner       text,
    lease_until timestamptz,
    tries       smallint NOT NULL DEFAULT 0,
    report      jsonb,                         -- without names and numbers, as the report masks them
    fault       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX roster_import_due ON roster_import (id) WHERE state IN ('examine', 'apply');
CREATE INDEX roster_import_account ON roster_import (account_id, id DESC);

-- Its file, in pieces, until it is taken over or given up: a worker on another machine reads it from here.
CREATE TABLE roster_piece (
    import_id integer NOT NULL,
    number    integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- What happened to an archived alert over time, by spans; those without events are left out.
CREATE TABLE archived_course (
    alert_id  integer NOT NULL,
    at        timestamptz NOT NULL,            -- when the span began
    submitted integer NOT NULL,
    delivered integer NOT NULL,
    failed    integer NOT NULL,
    reached   integer NOT NULL,                -- households
    PRIMARY KEY (alert_id, at)
);
