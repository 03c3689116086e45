-- What the console and the pages outside take back, keep and do beside a request.

-- A visit may be put right by whoever wrote it down: by a further one, which takes its place. `withdrawn` takes it back.
ALTER TABLE door_visit ADD COLUMN corrects bigint;
ALTER TABLE door_visit DROP CONSTRAINT door_visit_result_check;
ALTER TABLE door_visit ADD CONSTRAINT door_visit_result_check
    CHECK (result IN ('done', 'nobody', 'refused', 'help', 'withdrawn'));
CREATE UNIQUE INDEX door_visit_corrects ON door_visit (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX door_visit_person ON door_visit (alert_id, person_id, id) WHERE person_id IS NOT NULL;

-- The photos themselves lie beside their list, so that every process on every machine has them: a list is read often, they are not.
-- They leave with the alert's other rows when it is archived.
ALTER TABLE field_photo DROP COLUMN file;
CREATE TABLE field_picture (
    alert_id integer NOT NULL,
    photo_id bigint NOT NULL REFERENCES field_photo (id) ON DELETE CASCADE,
    data     bytea NOT NULL CHECK (octet_length(data) <= 5 * 1024 * 1024),
    PRIMARY KEY (alert_id, photo_id)
);
ALTER TABLE field_picture ALTER COLUMN data SET STORAGE EXTERNAL; -- a JPEG is not packed once more

-- Work that takes longer than somebody waits for a page: done by a worker piece by piece, each its own transaction; whoever asked
-- sees how far it is. Asked for twice while it is open, it is one.
CREATE TABLE errand (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id    integer NOT NULL,
    account_id  bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('resend')),
    regions     text[] NOT NULL,               -- code prefixes: where
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    total       integer NOT NULL DEFAULT 0,    -- villages to go through
    done        integer NOT NULL DEFAULT 0,
    households  integer NOT NULL DEFAULT 0,    -- tried again so far
    deliveries  integer NOT NULL DEFAULT 0,
    fault       text NOT NULL DEFAULT '',      -- why it ended before its end
    tries       smallint NOT NULL DEFAULT 0,
    owner       text,
    lease_until timestamptz,
    asked_at    timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE UNIQUE INDEX errand_open ON errand (alert_id, account_id, kind, regions) WHERE state = 'open';
CREATE INDEX errand_alert ON errand (alert_id, id);

-- Failed attempts to sign in, until they are summed up in the audit: at most one row an account and a kind of failure, and one
-- for all names that nobody has.
CREATE TABLE sign_in_failure (
    account_id bigint NOT NULL,                -- 0: no account of that name
    kind       text NOT NULL CHECK (kind IN ('password', 'code')),
    failures   integer NOT NULL,
    lockouts   integer NOT NULL,               -- times that a wait began
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind)
) WITH (fillfactor = 50);
