-- Who read what in the clear, and who changed what. `n` orders the rows; `outcome` is 'unknown' for
-- what was begun, until a later row that has its id in `refs` says what came of it.
CREATE TABLE audit_event (
    n             INTEGER NOT NULL PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    time          TEXT NOT NULL CHECK (length(time) <= 32),
    tenant        TEXT NOT NULL CHECK (length(tenant) BETWEEN 1 AND 128),
    action        TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    activity      TEXT NOT NULL CHECK (activity IN ('create', 'read', 'update', 'delete', 'other')),
    actor_type    TEXT NOT NULL CHECK (actor_type IN ('api_key', 'person', 'system', 'anonymous')),
    actor_id      TEXT NOT NULL CHECK (length(actor_id) BETWEEN 1 AND 128),
    resource_type TEXT NOT NULL CHECK (length(resource_type) <= 64),
    resources     TEXT NOT NULL CHECK (length(resources) <= 20000),
    count         INTEGER NOT NULL CHECK (count >= 0),
    fields        TEXT NOT NULL CHECK (length(fields) <= 4096),
    reason        TEXT CHECK (length(reason) <= 2048),
    outcome       TEXT NOT NULL CHECK (outcome IN ('success', 'denied', 'failure', 'unknown')),
    detail        TEXT CHECK (length(detail) <= 64),
    refs          TEXT CHECK (length(refs) = 36),
    peer          TEXT CHECK (length(peer) <= 64),
    trace         TEXT CHECK (length(trace) = 32)
) STRICT;

CREATE INDEX audit_event_by_tenant ON audit_event (tenant, n);

-- Rows are added and nothing else. REPLACE deletes without asking the trigger on deletes, hence the
-- third one.
CREATE TRIGGER audit_event_is_not_updated BEFORE UPDATE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;

CREATE TRIGGER audit_event_is_not_deleted BEFORE DELETE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;

CREATE TRIGGER audit_event_is_not_replaced BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE n = NEW.n OR id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;

-- The limits that an operator set, as JSON; no row where the defaults hold.
CREATE TABLE limit_policies (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    policies TEXT NOT NULL CHECK (length(policies) <= 1048576)
) STRICT;
