-- The ledger of dispatch. Row by row: a run per alert, a chunk per village, a target per household, a delivery per address,
-- a batch per contiguous range of deliveries with its tally, an append-only log of what happened (segment).
-- Hot rows carry no index but their key, so that their updates stay in the page (HOT).

CREATE TABLE run (
    alert_id    integer PRIMARY KEY,
    lineage     integer NOT NULL,              -- the first alert of the lineage: nothing of a later one overtakes an earlier one
    rehearsal   boolean NOT NULL,              -- may only use gateways marked the same
    urgency     smallint NOT NULL,             -- 0 red … 3 blue
    state       smallint NOT NULL DEFAULT 0,   -- 0 open, 1 superseded, 2 expired, 3 ended
    opened_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    closed_at   timestamptz
);

-- Apart from run, because planning takes this row for the length of a chunk and claims must not wait for that.
CREATE TABLE run_ordinal (
    alert_id integer PRIMARY KEY,
    next     integer NOT NULL DEFAULT 0
);

-- What was approved, exactly as it goes out but for place, link and unit name.
CREATE TABLE message (
    alert_id integer NOT NULL,
    purpose  text NOT NULL,                    -- public | unit
    channel  text NOT NULL,
    language text NOT NULL,
    body     jsonb NOT NULL,
    PRIMARY KEY (alert_id, purpose, channel, language)
);

CREATE TABLE chunk (
    alert_id   integer NOT NULL,
    region     text NOT NULL,                  -- a village; '' is the loudspeakers of the whole area
    rank       integer NOT NULL,               -- the lowest first: closest to the hazard and most at risk
    expected   integer NOT NULL DEFAULT 0,     -- households, about, before it is planned
    state      smallint NOT NULL DEFAULT 0,    -- 0 to be planned, 1 planned, 2 done
    next_at    timestamptz NOT NULL,
    households integer NOT NULL DEFAULT 0,
    reached    integer NOT NULL DEFAULT 0,
    unreached  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (alert_id, region)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX chunk_due ON chunk (next_at) WHERE state < 2;

CREATE TABLE target (
    alert_id     integer NOT NULL,
    household_id bigint NOT NULL,
    village      text NOT NULL,                -- its chunk
    region       text NOT NULL,                -- the household's own code, as deep as known
    risk         smallint NOT NULL,
    state        smallint NOT NULL DEFAULT 0,  -- 0 pending, 1 reached, 2 unreached
    step         smallint NOT NULL DEFAULT 0,  -- steps of the policy taken so far
    step_at      timestamptz,
    reached_by   text,                         -- a channel, response or door
    reached_at   timestamptz,
    late         boolean NOT NULL DEFAULT false,-- it had been given up before it was reached
    PRIMARY KEY (alert_id, household_id)
) WITH (
    fillfactor = 42,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000000,
    autovacuum_vacuum_insert_threshold = 1000000
);
-- The village first: of two indexes that begin with the alert, the planner takes either for a new alert, as both seem to hold
-- one row of it.
CREATE INDEX target_village ON target (village, alert_id);

CREATE TABLE delivery (
    alert_id     integer NOT NULL,
    ordinal      integer NOT NULL,
    batch        integer NOT NULL,             -- the first ordinal of its batch
    state        smallint NOT NULL DEFAULT 0,  -- see dispatch/delivery.py: a higher code always wins
    was          smallint NOT NULL DEFAULT 0,  -- the state before the last fold that changed the row; + 8: it was a duplicate already
    attempts     smallint NOT NULL DEFAULT 0,
    gateway_id   smallint,
    proved       smallint NOT NULL DEFAULT 0,  -- the attempt that a gateway took: 0 none, -1 several (a duplicate)
    household_id bigint,
    unit_id      bigint,
    contact_id   bigint,
    terminal_id  bigint,
    address      text NOT NULL,
    submitted_at timestamptz,
    settled_at   timestamptz,
    reason       text,
    PRIMARY KEY (alert_id, ordinal)
) WITH (
    fillfactor = 42,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000000,
    autovacuum_vacuum_insert_threshold = 1000000
);

CREATE TABLE batch (
    alert_id    integer NOT NULL,
    first       integer NOT NULL,
    last        integer NOT NULL,              -- inclusive
    lineage     integer NOT NULL,
    region      text NOT NULL,                 -- the village; '' for loudspeakers and units of several
    channel     text NOT NULL,
    purpose     text NOT NULL,                 -- public | unit | question (its words lie in question, not in message)
    language    text NOT NULL,
    step        smallint NOT NULL,             -- of the household policy; 0 goes to everyone, later ones only to who is still pending
    rehearsal   boolean NOT NULL,
    urgency     smallint NOT NULL,
    tier        smallint NOT NULL,             -- 0 units, 1 loudspeakers, 2 vulnerable households, 3 the others
    seq         integer NOT NULL,              -- place within its alert and tier: alerts of one colour take turns
    state       smallint NOT NULL DEFAULT 0,   -- 0 ready, 1 leased, 2 settled, 3 released (its last results wait to be folded)
    not_before  timestamptz NOT NULL,
    lease_owner text,
    lease_until timestamptz,
    segment     bigint,                        -- the log segment that holds the last results of a released batch
    claims      smallint NOT NULL DEFAULT 0,
    owed_until  timestamptz,                   -- until then a gateway may still take what it gave no answer about
    planned_at  timestamptz NOT NULL DEFAULT now(), -- the age of what is not delivered counts from here
    PRIMARY KEY (alert_id, first)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX batch_ready ON batch (channel, rehearsal, urgency, tier, seq, alert_id) WHERE state = 0;
CREATE INDEX batch_busy ON batch (lineage, alert_id) WHERE state IN (1, 3) OR owed_until IS NOT NULL;

-- The deliveries of a batch by state. Apart from batch, because workers write there when they please, and only whoever
-- holds the lock on states writes here: the two never wait for each other.
CREATE TABLE tally (
    alert_id    integer NOT NULL,
    first       integer NOT NULL,              -- its batch
    queued      integer NOT NULL,
    unknown     integer NOT NULL DEFAULT 0,
    expired     integer NOT NULL DEFAULT 0,
    cancelled   integer NOT NULL DEFAULT 0,
    submitted   integer NOT NULL DEFAULT 0,
    failed      integer NOT NULL DEFAULT 0,
    delivered   integer NOT NULL DEFAULT 0,
    duplicates  integer NOT NULL DEFAULT 0,    -- taken more than once by a gateway, by the evidence in the log
    PRIMARY KEY (alert_id, first)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE gateway (
    id   smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- Who is at work, so that connections are shared out evenly.
CREATE TABLE worker (
    name    text PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

CREATE TABLE gateway_slot (
    gateway_id  smallint NOT NULL,
    slot        smallint NOT NULL,
    owner       text,
    lease_until timestamptz,
    PRIMARY KEY (gateway_id, slot)
);

-- What the courier of each slot says of its gateway, for a few seconds at a time: who falls silent is no longer heard.
-- Apart from gateway_slot, because whoever takes slots passes over rows that are just being written to.
CREATE TABLE gateway_word (
    gateway_id  smallint NOT NULL,
    slot        smallint NOT NULL,
    worker      text NOT NULL,
    up          boolean NOT NULL,
    state       text NOT NULL,                 -- of its breaker: closed | probing | open
    why         text NOT NULL,
    idle        boolean NOT NULL,              -- it waits for work
    taken       double precision NOT NULL,     -- messages it was given, fading within minutes
    since       timestamptz NOT NULL,          -- in this state
    said_at     timestamptz NOT NULL,
    holds_until timestamptz NOT NULL,
    PRIMARY KEY (gateway_id, slot)
) WITH (fillfactor = 30);

-- The log, committed before a gateway is answered, folded into deliveries afterwards, kept as evidence. A segment is what a
-- worker wrote down at once; an entry what a gateway proved at one moment for any number of an alert's deliveries, which costs
-- a fraction of a row for each.
CREATE TABLE segment (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker    text NOT NULL,
    rows      integer NOT NULL,                -- deliveries in its entries
    folded    boolean NOT NULL DEFAULT false,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX segment_unfolded ON segment (id) WHERE NOT folded;

CREATE TABLE entry (
    segment    bigint NOT NULL,
    alert_id   integer NOT NULL,
    attempt    smallint NOT NULL,
    state      smallint NOT NULL,              -- the delivery state that it proves
    gateway_id smallint,
    at         timestamptz NOT NULL,
    reason     text,
    ordinals   integer[] NOT NULL,
    refs       text[]                          -- the gateway's message ids, with an acceptance; NULL: it gave none
);
CREATE INDEX entry_segment ON entry (segment);
-- To compress them would cost more than to write them.
ALTER TABLE entry ALTER ordinals SET STORAGE EXTERNAL, ALTER refs SET STORAGE EXTERNAL;

-- Which delivery a gateway's own message id stands for; written by the fold.
CREATE TABLE message_ref (
    gateway_id smallint NOT NULL,
    ref        text COLLATE "C" NOT NULL,
    alert_id   integer NOT NULL,
    ordinal    integer NOT NULL,
    attempt    smallint NOT NULL
);
CREATE INDEX message_ref_ref ON message_ref (ref, gateway_id);

-- Receipts whose message is not known yet: they came before our own write, or belong to nobody.
CREATE TABLE stray_receipt (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id smallint NOT NULL,
    ref        text NOT NULL,
    state      smallint NOT NULL,
    reason     text,
    at         timestamptz NOT NULL,
    stored_at  timestamptz NOT NULL
);
CREATE INDEX stray_receipt_ref ON stray_receipt (ref, gateway_id);

CREATE TABLE door_task (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id           integer NOT NULL,
    household_id       bigint NOT NULL,
    region             text NOT NULL,
    assignee_person_id bigint,                 -- the grid's member or leader on duty; NULL: nobody holds that duty
    reason             text NOT NULL,          -- no_contact | all_failed | no_evidence | escalated
    state              text NOT NULL DEFAULT 'open',-- open | done | cancelled
    created_at         timestamptz NOT NULL,
    closed_at          timestamptz,
    UNIQUE (alert_id, household_id)
);
CREATE INDEX door_task_assignee ON door_task (assignee_person_id, alert_id) WHERE state = 'open';
-- The list of whoever answers for a region.
CREATE INDEX door_task_region ON door_task (alert_id, region COLLATE "C", household_id) WHERE state = 'open';
