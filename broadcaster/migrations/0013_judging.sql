-- Of many workers one judges a message; when it dies at that, another does, a little later.

ALTER TABLE incoming ADD COLUMN judging_until timestamptz; -- nobody else takes it up before
