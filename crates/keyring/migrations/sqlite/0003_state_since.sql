-- Since when a key is in its state: what may follow, and when, depends on it. Keys of before are taken to
-- be in theirs since now, which is never too early.
ALTER TABLE keyring_data_key ADD COLUMN state_since INTEGER NOT NULL DEFAULT 0;

-- Adding a column told nobody anything, and this update tells every process to read the keys again.
UPDATE keyring_data_key SET state_since = CAST(unixepoch('subsec') * 1000 AS INTEGER);

CREATE INDEX keyring_data_key_by_state ON keyring_data_key (state, key_id);
