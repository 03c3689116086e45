-- What sounds can be stopped: when a run is superseded or ended by hand, every gateway that speaks is told to. And where a
-- loudspeaker does not sound, its homes are told by other means without waiting.

ALTER TABLE gateway ADD COLUMN channel text;   -- by its settings, as the last worker had them

CREATE TABLE recall (
    alert_id   integer NOT NULL,
    gateway_id smallint NOT NULL,
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    told       integer NOT NULL DEFAULT 0,     -- messages that the gateway was told to stop
    tries      smallint NOT NULL DEFAULT 0,
    why        text NOT NULL DEFAULT '',       -- it could not be told
    asked_at   timestamptz NOT NULL,
    next_at    timestamptz NOT NULL,           -- due; while a worker is at it, when another may take over
    ended_at   timestamptz,
    PRIMARY KEY (alert_id, gateway_id)
);
CREATE INDEX recall_due ON recall (next_at) WHERE state = 'open';

-- The gateway's ids of what it was given of an alert: without them nothing can be stopped.
CREATE INDEX entry_taken ON entry (alert_id, gateway_id) WHERE refs IS NOT NULL;

-- The loudspeakers of an alert that did not play it, or of which nothing was heard in time.
CREATE TABLE silent_terminal (
    alert_id    integer NOT NULL,
    terminal_id bigint NOT NULL,
    at          timestamptz NOT NULL,
    households  integer NOT NULL,              -- homes that took their next step because of it
    PRIMARY KEY (alert_id, terminal_id)
);
