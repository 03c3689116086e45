-- Stations and their readings, and the rules by which readings raise alerts.

CREATE TABLE station (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE,                 -- as the instrument calls itself
    name         text NOT NULL,
    region_code  text NOT NULL,
    lon          float8,
    lat          float8,
    kind         text NOT NULL,
    clusters     text[] NOT NULL DEFAULT '{}',         -- groups that rules name it by
    period       integer NOT NULL DEFAULT 3600,        -- seconds between two reports, as a rule
    limits       jsonb NOT NULL DEFAULT '{}',          -- by element: warning, guarantee, low, high, rate, stuck
    active       boolean NOT NULL DEFAULT true,
    heard_at     timestamptz,                          -- when anything came last
    silent_since timestamptz                           -- an officer is told; NULL: it reports
);
CREATE INDEX station_region ON station (region_code text_pattern_ops);

-- One element of one station: what the next reading is judged by, and what lists show.
CREATE TABLE series (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id   integer NOT NULL REFERENCES station (id) ON DELETE CASCADE,
    element      text NOT NULL,
    last_at      timestamptz,                          -- the latest plausible reading
    last_value   float8,
    last_verdict smallint NOT NULL DEFAULT 0,
    good_at      timestamptz,                          -- the latest one that rules may use
    good_value   float8,
    same_since   timestamptz,                          -- when it began to have this very value
    stored_at    timestamptz,
    UNIQUE (station_id, element)
) WITH (fillfactor = 70);

-- One partition a day, made when its first reading comes, dropped as a whole when it is kept no longer.
CREATE TABLE reading (
    series_id integer NOT NULL,
    at        timestamptz NOT NULL,
    value     float8 NOT NULL,
    verdict   smallint NOT NULL,
    PRIMARY KEY (series_id, at)
) PARTITION BY RANGE (at);

-- Who reports without being registered; a few, so that somebody sees that an entry is missing.
CREATE TABLE stranger (
    code     text PRIMARY KEY,
    source   text NOT NULL,
    readings bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL
);

-- Which process listens for which instruments: one at a time.
CREATE TABLE listener (
    name        text PRIMARY KEY,
    owner       text,
    lease_until timestamptz,
    trouble     text NOT NULL DEFAULT '',              -- why it does not listen
    since       timestamptz,
    readings    bigint NOT NULL DEFAULT 0
);

-- Rules are written like policies and templates (`decision`); here is which version of each is at work, how, and where it stands.
CREATE TABLE rule_standing (
    name         text PRIMARY KEY,
    version      integer NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('off', 'shadow', 'live')),
    set_by       bigint,
    set_at       timestamptz NOT NULL,
    state        jsonb NOT NULL DEFAULT '{}',
    evaluated_at timestamptz,
    trouble      text NOT NULL DEFAULT ''              -- why it could not be evaluated
);

-- What a rule decided, in words, and what came of it.
CREATE TABLE rule_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule       text NOT NULL,
    version    integer NOT NULL,
    mode       text NOT NULL CHECK (mode IN ('shadow', 'live')),
    step       text NOT NULL CHECK (step IN ('raise', 'rise', 'clear', 'lost')),
    colour     text NOT NULL,
    deed       text NOT NULL CHECK (deed IN ('notify', 'draft', 'hold', 'issue')),
    state      text NOT NULL CHECK (state IN ('open', 'held', 'issued', 'vetoed', 'over', 'failed', 'seen')),
    regions    text[] NOT NULL,
    said       jsonb NOT NULL,                         -- sentences: why
    fault      text NOT NULL DEFAULT '',
    alert_id   integer,
    due_at     timestamptz,                            -- held: when it goes out
    at         timestamptz NOT NULL,
    closed_at  timestamptz,
    closed_by  bigint
);
CREATE INDEX rule_event_rule ON rule_event (rule, id);
CREATE INDEX rule_event_open ON rule_event (id) WHERE state IN ('open', 'held', 'failed');
CREATE INDEX rule_event_alert ON rule_event (alert_id) WHERE alert_id IS NOT NULL;

ALTER TABLE decision DROP CONSTRAINT decision_subject_check;
ALTER TABLE decision ADD CONSTRAINT decision_subject_check CHECK (subject IN ('template', 'policy', 'rule'));
