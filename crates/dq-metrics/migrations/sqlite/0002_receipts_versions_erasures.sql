-- What was received, and what of it is accounted for, by the day. Both are counted by one writer at one moment.
CREATE TABLE dq_metrics_receipt (
    day      INTEGER NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    tenant   TEXT NOT NULL,
    received INTEGER NOT NULL CHECK (received >= 0),
    outcomes INTEGER NOT NULL CHECK (outcomes >= 0),
    PRIMARY KEY (day, tenant)
) WITHOUT ROWID;

-- Uses of schema versions, by the day.
CREATE TABLE dq_metrics_version (
    day        INTEGER NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    tenant     TEXT NOT NULL,
    event_type TEXT NOT NULL,
    version    TEXT NOT NULL,
    lifecycle  TEXT NOT NULL, -- what it was when it was used: empty if it was not planned
    events     INTEGER NOT NULL CHECK (events >= 0),
    last_seen  INTEGER NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    PRIMARY KEY (day, tenant, event_type, version, lifecycle)
) WITHOUT ROWID;

-- Tenants of which nothing is kept any more, in the order in which they were erased.
CREATE TABLE dq_metrics_erased (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL UNIQUE
);
