CREATE TABLE data_key (
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

CREATE UNIQUE INDEX data_key_one_primary ON data_key (tenant, purpose) WHERE state = 'primary';
CREATE UNIQUE INDEX data_key_one_pending ON data_key (tenant, purpose) WHERE state = 'pending';
CREATE INDEX data_key_by_tenant ON data_key (tenant, key_id);

-- Erased tenants, so that none of them gets a key again.
CREATE TABLE data_key_erased_tenant (
    tenant TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
