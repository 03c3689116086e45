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
