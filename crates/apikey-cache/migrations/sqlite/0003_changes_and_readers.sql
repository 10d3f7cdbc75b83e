-- A change is not only one of a record: `key`, `tenant` and `all` have caches read records again.
-- The table is made anew, since SQLite takes no NOT NULL back; its numbers go on where they were.
CREATE TABLE apikey_cache_outbox_3 (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL DEFAULT 'record' CHECK (kind IN ('record', 'key', 'tenant', 'all')),
    kid     TEXT,
    version INTEGER,
    tenant  TEXT,
    at      INTEGER NOT NULL,
    CHECK ((kind IN ('record', 'key')) = (kid IS NOT NULL)),
    CHECK ((kind = 'record') = (version IS NOT NULL)),
    CHECK ((kind = 'tenant') = (tenant IS NOT NULL))
) STRICT;

INSERT INTO apikey_cache_outbox_3 (seq, kind, kid, version, at)
    SELECT seq, 'record', kid, version, at FROM apikey_cache_outbox;
DELETE FROM sqlite_sequence WHERE name = 'apikey_cache_outbox_3';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'apikey_cache_outbox_3', seq FROM sqlite_sequence WHERE name = 'apikey_cache_outbox';
DROP TABLE apikey_cache_outbox;
ALTER TABLE apikey_cache_outbox_3 RENAME TO apikey_cache_outbox;
CREATE INDEX apikey_cache_outbox_by_age ON apikey_cache_outbox (at);

-- Which feed this is; a copy of the file is the same feed.
CREATE TABLE apikey_cache_feed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
INSERT INTO apikey_cache_feed (one, id) VALUES (1, randomblob(16));

-- Who reads the outbox, and how far: a revocation is in effect when all of them have applied it.
CREATE TABLE apikey_cache_reader (
    id      BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    applied INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Those used last are loaded before the service is ready.
CREATE INDEX apikey_cache_api_key_by_use ON apikey_cache_api_key (last_used) WHERE status = 'active';

-- Which versions of the pepper are still needed. The kid is in it by itself.
CREATE INDEX apikey_cache_api_key_by_pepper ON apikey_cache_api_key (pepper_version, expires_at)
    WHERE status = 'active';
