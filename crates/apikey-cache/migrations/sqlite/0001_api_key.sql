CREATE TABLE apikey_cache_api_key (
    kid            TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    tier           TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    version        INTEGER NOT NULL,
    not_before     INTEGER,
    expires_at     INTEGER,
    created_at     INTEGER NOT NULL,
    last_used      INTEGER,
    pepper_version INTEGER,
    hash           BLOB,
    row_mac        BLOB,
    CHECK ((status = 'active') = (pepper_version IS NOT NULL)),
    CHECK ((status = 'active') = (hash IS NOT NULL)),
    CHECK ((status = 'active') = (row_mac IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX apikey_cache_api_key_of_tenant ON apikey_cache_api_key (tenant, kid);

-- AUTOINCREMENT: a number is never given out twice, even after its row was dropped.
CREATE TABLE apikey_cache_outbox (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kid     TEXT NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX apikey_cache_outbox_by_age ON apikey_cache_outbox (at);
