-- Responses and escalation: who must confirm (unit), whom we asked (unit_ask), what came back (response), who needs help
-- (help_request), what the duty desk has to look at (duty_notice), everything that escalation did (escalation_log), and what
-- responsible people report from outside (field_report, field_photo, door_visit).

CREATE TABLE unit (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id        integer NOT NULL,
    region          text NOT NULL,
    role            text NOT NULL,
    state           text NOT NULL DEFAULT 'waiting'
                    CHECK (state IN ('waiting', 'acknowledged', 'exhausted', 'cancelled')),
    step            smallint NOT NULL DEFAULT 0,       -- steps of the policy taken so far
    next_at         timestamptz,                       -- when the next step is due; NULL: nothing more will be done
    holderless      boolean NOT NULL DEFAULT false,    -- nobody who could be reached held the duty when it was to be asked
    acknowledged_at timestamptz,
    acknowledged_by bigint,                            -- a person; NULL when the duty desk recorded it
    via             text,                              -- a channel, link or desk
    moved           integer,                           -- people moved to safety, as reported with the confirmation
    response_id     bigint,
    UNIQUE (alert_id, region, role)
);
CREATE INDEX unit_due ON unit (next_at, id) WHERE state = 'waiting';

-- Whom escalation asked, and on the ground of which duty: while that lasts, this person's answer counts for the unit.
CREATE TABLE unit_ask (
    unit_id   bigint NOT NULL,
    person_id bigint NOT NULL,
    duty_id   bigint NOT NULL,
    alert_id  integer NOT NULL,
    step      smallint NOT NULL,                       -- the first step that asked
    asked_at  timestamptz NOT NULL,
    PRIMARY KEY (unit_id, person_id, duty_id)
);
CREATE INDEX unit_ask_person ON unit_ask (person_id, alert_id);

CREATE TABLE response (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway       text NOT NULL,
    external_id   text NOT NULL,                       -- the gateway's own id of it: a second copy is the same row
    channel       text NOT NULL,                       -- sms, wechat, voice, email, link
    rehearsal     boolean,                             -- of the gateway: a drill's reply never settles a real alert
    address       text NOT NULL,
    text          text NOT NULL,
    received_at   timestamptz NOT NULL,                -- by the gateway
    stored_at     timestamptz NOT NULL,
    settled_at    timestamptz,                         -- NULL: stored and acknowledged, not yet understood
    intent        text CHECK (intent IN ('acknowledge', 'help', 'none', 'ambiguous')),
    outcome       text,                                -- what came of it, see responses/response.py
    alert_id      integer,                             -- from the start, together with delivery, where the medium knows
    delivery      integer,                             -- the ordinal of the message that it answers: a link, a call
    person_id     bigint,
    household_id  bigint,
    units         bigint[] NOT NULL DEFAULT '{}',      -- the units that it settled or repeats
    moved         integer,
    UNIQUE (gateway, external_id),
    CHECK (rehearsal IS NOT NULL OR delivery IS NOT NULL) -- a reply that names its message needs no mark
);
CREATE INDEX response_unsettled ON response (id) WHERE settled_at IS NULL;
CREATE INDEX response_alert ON response (alert_id, id);

CREATE TABLE help_request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id     integer,
    response_id  bigint,                               -- the first cry; NULL: somebody at the door wrote it down
    household_id bigint,
    person_id    bigint,
    unit_id      bigint,
    region       text NOT NULL DEFAULT '',             -- '' when nobody knows the sender
    address      text NOT NULL DEFAULT '',             -- where to call back
    text         text NOT NULL,                        -- as last written
    times        integer NOT NULL DEFAULT 1,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    created_at   timestamptz NOT NULL,
    repeated_at  timestamptz,
    closed_at    timestamptz
);
-- Under each alert (0: none known) one open request per home, per unit, or per address of somebody unknown: a second cry
-- counts on the first.
CREATE UNIQUE INDEX help_request_open ON help_request
    (coalesce(alert_id, 0), coalesce(household_id, 0), coalesce(unit_id, 0),
     (CASE WHEN household_id IS NULL AND unit_id IS NULL THEN address ELSE '' END))
    WHERE state = 'open';
CREATE INDEX help_request_alert ON help_request (alert_id, id);

-- What the duty desk must do by hand. Open until the unit has answered, its alert is over, or the call for help is closed.
CREATE TABLE duty_notice (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id        integer,
    unit_id         bigint,
    help_request_id bigint,
    region          text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('call', 'holderless', 'exhausted', 'help')),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    created_at      timestamptz NOT NULL,
    closed_at       timestamptz,
    closed_by       text                               -- an account; NULL when an answer or the alert's end closed it
);
CREATE UNIQUE INDEX duty_notice_unit ON duty_notice (unit_id, kind) WHERE help_request_id IS NULL;
CREATE UNIQUE INDEX duty_notice_help ON duty_notice (help_request_id) WHERE help_request_id IS NOT NULL;
CREATE INDEX duty_notice_open ON duty_notice (alert_id, id) WHERE state = 'open';

-- A question back to somebody whose answer could mean several alerts: a delivery with words of its own.
CREATE TABLE question (
    alert_id    integer NOT NULL,                      -- the most urgent of the alerts it is about
    ordinal     integer NOT NULL,
    response_id bigint NOT NULL,                       -- the answer that could mean several
    channel     text NOT NULL,
    address     text NOT NULL,
    body        jsonb NOT NULL,
    asked_at    timestamptz NOT NULL,
    PRIMARY KEY (alert_id, ordinal)
);
CREATE INDEX question_address ON question (address, asked_at);

CREATE TABLE escalation_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id   integer NOT NULL,
    unit_id    bigint NOT NULL,
    step       smallint NOT NULL,                      -- 1 is the first notification
    action     text NOT NULL,                          -- a step's action, or acknowledged | exhausted | cancelled
    asked      integer NOT NULL DEFAULT 0,             -- people asked by this step
    deliveries integer NOT NULL DEFAULT 0,
    at         timestamptz NOT NULL
);
CREATE INDEX escalation_log_unit ON escalation_log (unit_id, id);
CREATE INDEX escalation_log_alert ON escalation_log (alert_id, id);

-- What the responsible people of a unit report through their link. Numbers are totals so far: the latest one of each counts.
-- `key` names a tap on a phone: sent twice, it is one.
CREATE TABLE field_report (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id    integer NOT NULL,
    unit_id     bigint NOT NULL,
    person_id   bigint NOT NULL,
    key         text NOT NULL UNIQUE,
    moved       integer,                               -- people moved to safety
    refused     integer,                               -- people who will not leave
    away        integer,                               -- people who are not there
    note        text NOT NULL DEFAULT '',
    reported_at timestamptz NOT NULL
);
CREATE INDEX field_report_alert ON field_report (alert_id, unit_id, id);

-- Pictures they took, re-encoded; the files lie under [data] dir.
CREATE TABLE field_photo (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id  integer NOT NULL,
    unit_id   bigint NOT NULL,
    person_id bigint NOT NULL,
    key       text NOT NULL UNIQUE,
    file      text NOT NULL,                           -- below the folder of photos
    bytes     integer NOT NULL,
    width     integer NOT NULL,
    height    integer NOT NULL,
    stored_at timestamptz NOT NULL
);
CREATE INDEX field_photo_alert ON field_photo (alert_id, unit_id, id);

-- Every time somebody stood at a door of their list.
CREATE TABLE door_visit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id     integer NOT NULL,
    household_id bigint NOT NULL,
    unit_id      bigint,                               -- of whoever came by a link, with
    person_id    bigint,
    written_by   text,                                 -- or the account that wrote it down
    key          text NOT NULL UNIQUE,
    result       text NOT NULL CHECK (result IN ('done', 'nobody', 'refused', 'help')),
    note         text NOT NULL DEFAULT '',
    visited_at   timestamptz NOT NULL
);
CREATE INDEX door_visit_door ON door_visit (alert_id, household_id, id);
