-- Takes over the tables of versions that gave them no prefix. What 0001 makes is there afterwards.
ALTER TABLE data_key RENAME TO keyring_data_key;
ALTER TABLE data_key_erased_tenant RENAME TO keyring_erased_tenant;

DROP INDEX data_key_one_primary;
DROP INDEX data_key_one_pending;
DROP INDEX data_key_by_tenant;
CREATE UNIQUE INDEX keyring_data_key_one_primary ON keyring_data_key (tenant, purpose)
    WHERE state = 'primary';
CREATE UNIQUE INDEX keyring_data_key_one_pending ON keyring_data_key (tenant, purpose)
    WHERE state = 'pending';
CREATE INDEX keyring_data_key_by_tenant ON keyring_data_key (tenant, key_id);

-- A process of such a version refuses a database with a migration that it does not know. It would
-- make tables of its own otherwise, and seal under keys that nobody else finds.
INSERT INTO portcullis_keyring_migrations (version, description, success, checksum, execution_time)
VALUES (2, 'moved to keyring_migrations', TRUE, x'', 0);
