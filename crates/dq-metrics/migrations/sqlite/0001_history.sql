-- What became of events, by the hour.
CREATE TABLE dq_metrics_tally (
    hour       INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 4294967295), -- hours since 1970-01-01T00Z
    tenant     TEXT NOT NULL,
    event_type TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    reason     TEXT NOT NULL, -- empty unless the outcome is `rejected`
    events     INTEGER NOT NULL CHECK (events >= 0),
    PRIMARY KEY (hour, tenant, event_type, outcome, reason)
) WITHOUT ROWID;

-- Masked samples of refused events, by the day.
CREATE TABLE dq_metrics_sample (
    day         INTEGER NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    reason      TEXT NOT NULL,
    writer      BLOB NOT NULL CHECK (length(writer) = 16),
    slot        INTEGER NOT NULL,
    tenant      TEXT NOT NULL,
    event_type  TEXT NOT NULL,
    ordinal     INTEGER NOT NULL,
    taken_at    INTEGER NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    trace_id    BLOB CHECK (length(trace_id) = 16),
    detail      TEXT NOT NULL,
    excerpt     TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    PRIMARY KEY (day, reason, writer, slot)
);

-- The last batch of each process, so that none is added twice.
CREATE TABLE dq_metrics_writer (
    writer   BLOB PRIMARY KEY CHECK (length(writer) = 16),
    sequence INTEGER NOT NULL,
    day      INTEGER NOT NULL -- of the latest row in that batch
) WITHOUT ROWID;
