-- Who must confirm, what people answered, and what was done about silence.

CREATE TABLE unit (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id        integer NOT NULL,
    region          text NOT NULL,
    role            text NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',   -- waiting | acknowledged | exhausted | cancelled
    step            smallint NOT NULL DEFAULT 0,       -- steps of the policy taken so far
    next_at         timestamptz NOT NULL,
    holderless      boolean NOT NULL DEFAULT false,    -- nobody held the duty when the unit was first asked
    acknowledged_at timestamptz,
    acknowledged_by bigint,                            -- a person; NULL when the duty desk recorded it
    via             text,                              -- a channel, link or desk
    moved           integer,                           -- people moved to safety, as reported
    response_id     bigint,
    UNIQUE (alert_id, region, role)
);
CREATE INDEX unit_due ON unit (next_at) WHERE state = 'waiting';

-- Whom a unit has asked, so that their answer counts whatever their own duty is.
CREATE TABLE unit_ask (
    unit_id   bigint NOT NULL,
    person_id bigint NOT NULL,
    asked_at  timestamptz NOT NULL,
    PRIMARY KEY (unit_id, person_id)
);
CREATE INDEX unit_ask_person ON unit_ask (person_id);

CREATE TABLE response (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway       text NOT NULL,
    channel       text NOT NULL,
    external_id   text NOT NULL,
    address       text NOT NULL,
    text          text NOT NULL,
    received_at   timestamptz NOT NULL,
    stored_at     timestamptz NOT NULL,
    settled_at    timestamptz,                         -- NULL: stored and acknowledged, not yet understood
    intent        text,                                -- acknowledge | help | none | ambiguous
    alert_id      integer,
    person_id     bigint,
    household_id  bigint,
    units         bigint[] NOT NULL DEFAULT '{}',      -- the units it settled
    delivery      integer,                             -- the ordinal of the delivery whose link was used
    UNIQUE (gateway, external_id)
);
CREATE INDEX response_unsettled ON response (id) WHERE settled_at IS NULL;
CREATE INDEX response_alert ON response (alert_id, id);

CREATE TABLE help_request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id     integer,
    response_id  bigint NOT NULL UNIQUE,
    household_id bigint,
    person_id    bigint,
    text         text NOT NULL,
    state        text NOT NULL DEFAULT 'open',         -- open | done
    created_at   timestamptz NOT NULL,
    closed_at    timestamptz
);
CREATE INDEX help_request_open ON help_request (alert_id) WHERE state = 'open';

CREATE TABLE escalation_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   integer NOT NULL,
    unit_id    bigint NOT NULL,
    step       smallint NOT NULL,
    action     text NOT NULL,
    asked      integer NOT NULL,                       -- persons asked; households for door tasks
    at         timestamptz NOT NULL
);
CREATE INDEX escalation_log_unit ON escalation_log (unit_id);

-- What the duty desk must do by hand.
CREATE TABLE duty_notice (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   integer NOT NULL,
    unit_id    bigint NOT NULL UNIQUE,
    state      text NOT NULL DEFAULT 'open',           -- open | done
    created_at timestamptz NOT NULL,
    closed_at  timestamptz
);
CREATE INDEX duty_notice_open ON duty_notice (alert_id) WHERE state = 'open';
