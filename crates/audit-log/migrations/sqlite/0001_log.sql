-- One row: how many leaves the log has, which is the first that is not pruned, and the root of its tree. Who writes it
-- has the log.
CREATE TABLE audit_log (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    size  INTEGER NOT NULL CHECK (size >= 0),
    first INTEGER NOT NULL CHECK (first BETWEEN 0 AND size AND first % 256 = 0),
    root  BLOB NOT NULL CHECK (length(root) = 32)
);
INSERT INTO audit_log (one, size, first, root)
VALUES (1, 0, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

-- The leaves. Everything but `leaf` is an index of it, and says what the leaf says.
CREATE TABLE audit_event (
    n       INTEGER PRIMARY KEY CHECK (n >= 0),
    time    INTEGER NOT NULL, -- microseconds since 1970-01-01T00:00:00Z
    tenant  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    leaf    BLOB NOT NULL
);
CREATE INDEX audit_event_by_tenant ON audit_event (tenant, n);
CREATE INDEX audit_event_by_actor ON audit_event (actor, n);
CREATE INDEX audit_event_by_action ON audit_event (action, n);
CREATE INDEX audit_event_by_outcome ON audit_event (outcome, n);

-- Against mistakes: who means to change one is found by verifying.
CREATE TRIGGER audit_event_is_never_changed BEFORE UPDATE ON audit_event
BEGIN
    SELECT raise(ABORT, 'an audit event is never changed');
END;
CREATE TRIGGER audit_event_goes_by_pruning_alone BEFORE DELETE ON audit_event
WHEN OLD.n >= (SELECT first FROM audit_log)
BEGIN
    SELECT raise(ABORT, 'an audit event goes by pruning alone');
END;

-- What a leaf has several of, each once.
CREATE TABLE audit_term (
    n     INTEGER NOT NULL,
    kind  TEXT NOT NULL CHECK (kind IN ('resource', 'field')),
    value TEXT NOT NULL,
    PRIMARY KEY (n, kind, value)
) WITHOUT ROWID;
CREATE INDEX audit_term_by_value ON audit_term (kind, value, n);

-- Between which times the leaves of a bundle are, so that a search by time looks at few others.
CREATE TABLE audit_bundle (
    number   INTEGER PRIMARY KEY CHECK (number >= 0),
    earliest INTEGER NOT NULL, -- as audit_event.time
    latest   INTEGER NOT NULL
);

-- Tiles of hashes, full ones and the last of each level.
CREATE TABLE audit_tile (
    level  INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    number INTEGER NOT NULL CHECK (number >= 0),
    hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, number)
);

-- One row: the checkpoint that is published, and the size of its tree.
CREATE TABLE audit_checkpoint (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    note TEXT CHECK (note IS NOT NULL OR size = 0)
);
INSERT INTO audit_checkpoint (one, size, note) VALUES (1, 0, NULL);

-- Sealed personal parts. An erased one is overwritten in its place: a row that is deleted may leave copies where SQLite
-- has moved others from.
CREATE TABLE audit_personal (
    n         INTEGER PRIMARY KEY,
    is_erased INTEGER NOT NULL DEFAULT 0 CHECK (is_erased IN (0, 1)),
    sealed    BLOB NOT NULL
);

-- How many leaves a tenant has.
CREATE TABLE audit_tenant (
    tenant TEXT PRIMARY KEY,
    leaves INTEGER NOT NULL CHECK (leaves >= 0)
) WITHOUT ROWID;

-- How far those have come who follow the log.
CREATE TABLE audit_cursor (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL CHECK (next >= 0)
) WITHOUT ROWID;
