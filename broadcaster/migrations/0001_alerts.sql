-- What the alerts' rules rest on, kept by the database as well.

CREATE UNIQUE INDEX alert_identifier ON alert (identifier);

-- No two open alerts answer to the same code.
CREATE UNIQUE INDEX alert_open_reply_code ON alert (reply_code) WHERE state = 'issued' AND superseded_by IS NULL;

-- One successor per alert: an Update and a Cancel that race for the same predecessor cannot both be issued.
CREATE UNIQUE INDEX alert_issued_successor ON alert (predecessor_id)
    WHERE predecessor_id IS NOT NULL AND state IN ('issued', 'ended');

CREATE INDEX alert_lineage ON alert (lineage);

-- The lists on the console: by state, the latest first; and what is over.
CREATE INDEX alert_state ON alert (state, id DESC);
CREATE INDEX alert_issued_expiry ON alert (expires_at) WHERE state = 'issued';

-- Forms as they were typed, right or wrong, until they become an alert and while that one is still being edited.
CREATE TABLE draft_form (
    key text PRIMARY KEY,
    account_id integer NOT NULL,          -- who began it
    alert_id integer,                     -- the alert that it has become
    replaces integer,                     -- the issued alert that it is to update or call off
    deed text NOT NULL DEFAULT '',        -- '' a new alert, else update, cancel or misfire
    typed jsonb NOT NULL,
    regions text[] NOT NULL DEFAULT '{}', -- what its area covers, as far as it can be read: for asking who may open it
    version integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    changed_in text NOT NULL DEFAULT ''   -- the window in which it was changed last
);
CREATE UNIQUE INDEX draft_form_of_alert ON draft_form (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX draft_form_open ON draft_form (changed_at DESC) WHERE alert_id IS NULL;
-- Pressing the button twice begins one successor.
CREATE UNIQUE INDEX draft_form_successor ON draft_form (replaces, deed, account_id)
    WHERE replaces IS NOT NULL AND alert_id IS NULL;

-- What a reviewer has had before their eyes.
CREATE TABLE sighting (
    alert_id integer NOT NULL,
    account_id integer NOT NULL,
    version integer NOT NULL,
    fields jsonb NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (alert_id, account_id, version)
);
