-- Subscribers besides webhooks, and what becomes by itself of what other machines tell us.

ALTER TABLE subscriber ADD COLUMN kind text NOT NULL DEFAULT 'webhook' CHECK (kind IN ('webhook', 'cap', 'mqtt'));
ALTER TABLE subscriber ADD COLUMN manner jsonb NOT NULL DEFAULT '{}'; -- how it wants to be told: who we are to it, topic, retained
ALTER TABLE subscriber ADD COLUMN sealed bytea; -- the password that it gave us, sealed with the installation's key

ALTER TABLE incoming ADD COLUMN words jsonb; -- note and reasons as templates with values; NULL: as they stand
ALTER TABLE incoming ADD COLUMN alert_id integer; -- the alert that it was kept as at once: it came to the interface for alerts
ALTER TABLE incoming ADD COLUMN proven boolean; -- its signature was looked at by whom it came through; NULL: it has its own
ALTER TABLE incoming ADD COLUMN state_told text NOT NULL DEFAULT ''; -- the state that the platform above was last told
CREATE INDEX incoming_alert ON incoming (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX incoming_same_as ON incoming (same_as) WHERE same_as IS NOT NULL;

-- What a source's message led to by itself is held, vetoed and listed beside what rules did.
ALTER TABLE rule_event ADD COLUMN incoming_id bigint;
CREATE INDEX rule_event_incoming ON rule_event (incoming_id) WHERE incoming_id IS NOT NULL;
