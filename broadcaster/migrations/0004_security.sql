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
