-- What the security context keeps beside its records: the audit chain, sign-in counters, answers kept for repeated requests.

CREATE TABLE audit_entry (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    account_id bigint NOT NULL,
    action text NOT NULL,
    alert_id bigint,
    subject text NOT NULL,
    detail text NOT NULL,
    previous bytea NOT NULL,
    digest bytea NOT NULL
);

CREATE INDEX audit_entry_of_alert ON audit_entry (alert_id, seq) WHERE alert_id IS NOT NULL;
CREATE INDEX audit_entry_by_account ON audit_entry (account_id, seq);
CREATE INDEX audit_entry_by_action ON audit_entry (action, seq);
CREATE INDEX audit_entry_at ON audit_entry (at, seq);

CREATE FUNCTION audit_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'audit entries are never changed or removed' USING ERRCODE = 'insufficient_privilege'; END$$;

CREATE TRIGGER audit_entry_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_final();

CREATE TABLE sign_in_attempt (
    key text PRIMARY KEY,
    failures integer NOT NULL,
    failed_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);

-- One-time codes for whoever lost the phone with the second factor; SHA-256 of each.
CREATE TABLE recovery_code (
    account_id integer NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    digest bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account_id, digest)
);

CREATE INDEX credential_of_account ON credential (account_id, kind, id);

CREATE TABLE kept_answer (
    account_id bigint NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    status smallint NOT NULL,
    location text NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);

CREATE INDEX kept_answer_age ON kept_answer (created_at);
