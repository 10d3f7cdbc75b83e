CREATE TABLE apikey_cache_api_key (
    kid            TEXT COLLATE "C" PRIMARY KEY,
    tenant         TEXT COLLATE "C" NOT NULL,
    tier           TEXT COLLATE "C" NOT NULL,
    scopes         TEXT COLLATE "C" NOT NULL,
    status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'revoked')),
    version        BIGINT NOT NULL,
    not_before     BIGINT, -- milliseconds since 1970-01-01T00:00:00Z, as all dates
    expires_at     BIGINT,
    created_at     BIGINT NOT NULL,
    last_used      BIGINT,
    pepper_version BIGINT,
    hash           BYTEA,
    row_mac        BYTEA,
    CHECK ((status = 'active') = (pepper_version IS NOT NULL)),
    CHECK ((status = 'active') = (hash IS NOT NULL)),
    CHECK ((status = 'active') = (row_mac IS NOT NULL))
);

CREATE INDEX apikey_cache_api_key_of_tenant ON apikey_cache_api_key (tenant, kid);
-- Under "C" `lower` folds A-Z alone, which is all that a tenant's name can have: it is visible ASCII.
CREATE INDEX apikey_cache_api_key_of_tenant_alike ON apikey_cache_api_key (lower(tenant));
-- Those used last are loaded before the service is ready.
CREATE INDEX apikey_cache_api_key_by_use ON apikey_cache_api_key (last_used) WHERE status = 'active';
-- Which versions of the pepper are still needed.
CREATE INDEX apikey_cache_api_key_by_pepper ON apikey_cache_api_key (pepper_version, expires_at) INCLUDE (kid)
    WHERE status = 'active';

CREATE TABLE apikey_cache_outbox (
    seq     BIGINT PRIMARY KEY,
    kind    TEXT COLLATE "C" NOT NULL CHECK (kind IN ('record', 'key', 'tenant', 'all')),
    kid     TEXT COLLATE "C",
    version BIGINT,
    tenant  TEXT COLLATE "C",
    at      BIGINT NOT NULL,
    CHECK ((kind IN ('record', 'key')) = (kid IS NOT NULL)),
    CHECK ((kind = 'record') = (version IS NOT NULL)),
    CHECK ((kind = 'tenant') = (tenant IS NOT NULL))
);

CREATE INDEX apikey_cache_outbox_by_age ON apikey_cache_outbox (at);

-- Which feed this is, and its last number. No sequence: who takes a number locks the row until the commit, so that
-- no number is seen before a lower one, and none is given out twice or left out.
CREATE TABLE apikey_cache_feed (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    id   BYTEA NOT NULL CHECK (length(id) = 16),
    head BIGINT NOT NULL CHECK (head >= 0)
);
INSERT INTO apikey_cache_feed (one, id, head) VALUES (1, uuid_send(gen_random_uuid()), 0);

-- Who reads the outbox, and how far: a revocation is in effect when all of them have applied it.
CREATE TABLE apikey_cache_reader (
    id      BYTEA PRIMARY KEY CHECK (length(id) = 16),
    applied BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
