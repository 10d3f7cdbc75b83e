CREATE TABLE keyring_data_key (
    key_id     INTEGER PRIMARY KEY CHECK (key_id BETWEEN 0 AND 4294967295),
    tenant     TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    wrapped    BLOB,
    state      TEXT    NOT NULL CHECK (
        state IN ('pending', 'primary', 'decrypt-only', 'disabled', 'destroy-scheduled', 'destroyed')
    ),
    created_at INTEGER NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    CHECK ((wrapped IS NULL) = (state = 'destroyed'))
) STRICT;

CREATE UNIQUE INDEX keyring_data_key_one_primary ON keyring_data_key (tenant, purpose)
    WHERE state = 'primary';
CREATE UNIQUE INDEX keyring_data_key_one_pending ON keyring_data_key (tenant, purpose)
    WHERE state = 'pending';
CREATE INDEX keyring_data_key_by_tenant ON keyring_data_key (tenant, key_id);

-- Erased tenants, so that none of them gets a key again.
CREATE TABLE keyring_erased_tenant (
    tenant TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
