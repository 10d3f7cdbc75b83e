-- What was received, and what of it is accounted for, by the day. Both are counted by one writer at one moment.
CREATE TABLE dq_metrics_receipt (
    day      BIGINT NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    tenant   TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL CHECK (received >= 0),
    outcomes BIGINT NOT NULL CHECK (outcomes >= 0),
    PRIMARY KEY (day, tenant)
);

-- Uses of schema versions, by the day.
CREATE TABLE dq_metrics_version (
    day        BIGINT NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    tenant     TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    lifecycle  TEXT COLLATE "C" NOT NULL, -- what it was when it was used: empty if it was not planned
    events     BIGINT NOT NULL CHECK (events >= 0),
    last_seen  BIGINT NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    PRIMARY KEY (day, tenant, event_type, version, lifecycle)
);

-- Tenants of which nothing is kept any more, in the order in which they were erased.
CREATE TABLE dq_metrics_erased (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL UNIQUE
);
