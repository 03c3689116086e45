-- What keeps an installation in order: the processes at work, and the archive of what is over.

-- Every long-running process says here every few seconds that it lives, which schema it knows, and how it fares.
CREATE TABLE process (
    name       text PRIMARY KEY,
    kind       text NOT NULL,                  -- worker | serve
    knows      integer NOT NULL,               -- the schema version of its program
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    figures    jsonb NOT NULL DEFAULT '{}'     -- gauges, name → number
) WITH (fillfactor = 50);

-- An alert whose rows are in the archive. What is sealed is safe there; what is emptied has left the ledger.
CREATE TABLE archive (
    alert_id   integer PRIMARY KEY,
    state      text NOT NULL DEFAULT 'sealed' CHECK (state IN ('sealed', 'emptied')),
    folder     text NOT NULL,                  -- its name in the archive's folder
    digest     text NOT NULL,                  -- SHA-256 of its manifest, which holds that of every file
    rows       bigint NOT NULL,
    bytes      bigint NOT NULL,
    sealed_at  timestamptz NOT NULL,
    emptied_at timestamptz
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
