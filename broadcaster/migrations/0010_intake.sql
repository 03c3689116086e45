-- What other machines tell us: every message as it came, what it was worth and what became of it; how each source fares.

CREATE TABLE incoming (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,                        -- by its name in the settings
    document    bytea NOT NULL CHECK (octet_length(document) BETWEEN 1 AND 8 * 1024 * 1024),
    digest      bytea NOT NULL,                       -- SHA-256 of the document
    address     text NOT NULL DEFAULT '',             -- where it was got
    received_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'new' CHECK (state IN
        ('new', 'refused', 'repeated', 'noted', 'expired', 'outside', 'replaced', 'waiting', 'drafted', 'done')),
    tries       smallint NOT NULL DEFAULT 0,          -- times that judging it was begun
    -- what follows is filled in when it is judged
    verdict     text NOT NULL DEFAULT '',
    reasons     text[] NOT NULL DEFAULT '{}',
    signature   text NOT NULL DEFAULT '',
    identifier  text NOT NULL DEFAULT '',
    sender      text NOT NULL DEFAULT '',
    sent_at     timestamptz,
    status      text NOT NULL DEFAULT '',
    msg_type    text NOT NULL DEFAULT '',
    hazard      text NOT NULL DEFAULT '',
    colour      text NOT NULL DEFAULT '',
    headline    text NOT NULL DEFAULT '',
    area        text NOT NULL DEFAULT '',             -- as its sender describes it
    refers      text[] NOT NULL DEFAULT '{}',         -- identifiers of the messages that it updates, cancels or answers
    expires_at  timestamptz,
    said        bytea,                                -- digest of what it says, however it is written down
    event       bytea,                                -- digest of what happened: sender, event, area and time
    regions     text[] NOT NULL DEFAULT '{}',         -- where it applies here
    place       text NOT NULL DEFAULT '' CHECK (place IN ('', 'here', 'elsewhere', 'unknown')),
    note        text NOT NULL DEFAULT '',             -- why it became what it became
    same_as     bigint,                               -- the message that said it before
    draft_key   text,                                 -- the draft that was made of it
    settled_at  timestamptz,
    handled_at  timestamptz,                          -- by somebody, in the console
    handled_by  text NOT NULL DEFAULT '',
    -- CAP Ack or Error, where the source asks for one
    answer        text NOT NULL DEFAULT '' CHECK (answer IN ('', 'due', 'sent', 'dead')),
    answer_at     timestamptz,                        -- when it is due, or was sent
    answer_tries  integer NOT NULL DEFAULT 0,
    answer_reason text NOT NULL DEFAULT ''            -- why the last attempt failed
);
CREATE UNIQUE INDEX incoming_digest ON incoming (source, digest);
CREATE INDEX incoming_new ON incoming (id) WHERE state = 'new';
CREATE INDEX incoming_answer ON incoming (source, answer_at) WHERE answer = 'due';
CREATE INDEX incoming_waiting ON incoming (id) WHERE state = 'waiting';
CREATE INDEX incoming_identifier ON incoming (identifier) WHERE identifier <> '';
CREATE INDEX incoming_event ON incoming (event) WHERE event IS NOT NULL;
CREATE INDEX incoming_refers ON incoming USING gin (refers) WHERE refers <> '{}';
CREATE INDEX incoming_draft ON incoming (draft_key) WHERE draft_key IS NOT NULL;
CREATE INDEX incoming_received ON incoming (received_at);
ALTER TABLE incoming ALTER COLUMN document SET STORAGE EXTERNAL; -- read rarely, never searched

-- Entries of a source's index whose messages are kept: they are not fetched again.
CREATE TABLE incoming_mark (
    source  text NOT NULL,
    mark    text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (source, mark)
);
CREATE INDEX incoming_mark_seen ON incoming_mark (seen_at);

-- How each source fares. One worker at a time visits it: whoever holds the lease.
CREATE TABLE source_state (
    name        text PRIMARY KEY,
    memory      jsonb NOT NULL DEFAULT '{}',          -- what it wants to be told at its next visit
    next_at     timestamptz NOT NULL,
    owner       text,
    lease_until timestamptz,
    failures    integer NOT NULL DEFAULT 0,           -- in a row
    trouble     text NOT NULL DEFAULT '',             -- why the last visit failed; '' when it did not
    reason      text NOT NULL DEFAULT '',
    remarks     text[] NOT NULL DEFAULT '{}',         -- what was odd about the last one that did not
    since       timestamptz,                          -- when the trouble began
    visited_at  timestamptz,
    heard_at    timestamptz,                          -- the last visit that went well
    offered     integer NOT NULL DEFAULT 0,           -- messages that the source had then
    kept        bigint NOT NULL DEFAULT 0             -- new ones, altogether
);

-- Machines that are told of every alert as it is issued: live ones of real alerts, the others of drills and tests.
CREATE TABLE subscriber (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL UNIQUE,
    url            text NOT NULL,
    rehearsal      boolean NOT NULL DEFAULT false,    -- true: only Exercise and Test; false: only Actual
    private        boolean NOT NULL DEFAULT false,    -- its address may lie in a private network
    active         boolean NOT NULL DEFAULT true,
    secret_version integer NOT NULL DEFAULT 1,        -- the secret itself is derived from the installation's and is nowhere
    created_by     text NOT NULL,
    created_at     timestamptz NOT NULL
);

-- The outbox: written in the transaction that issues. A subscriber's are sent one after the other.
CREATE TABLE webhook (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber_id bigint NOT NULL REFERENCES subscriber (id),
    alert_id      integer NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts      integer NOT NULL DEFAULT 0,
    queued_at     timestamptz NOT NULL,
    next_at       timestamptz NOT NULL,
    owner         text,
    lease_until   timestamptz,
    settled_at    timestamptz,
    UNIQUE (subscriber_id, alert_id)
);
CREATE INDEX webhook_pending ON webhook (subscriber_id, id) WHERE state = 'pending';
CREATE INDEX webhook_dead ON webhook (id DESC) WHERE state = 'dead';
CREATE INDEX webhook_alert ON webhook (alert_id);

CREATE TABLE webhook_attempt (
    webhook_id bigint NOT NULL REFERENCES webhook (id),
    number     integer NOT NULL,
    at         timestamptz NOT NULL,
    status     smallint,                              -- of HTTP; NULL: there was no answer
    reason     text NOT NULL DEFAULT '',              -- '' when it was delivered
    PRIMARY KEY (webhook_id, number)
);
