-- What became of events, by the hour.
CREATE TABLE dq_metrics_tally (
    hour       BIGINT NOT NULL CHECK (hour BETWEEN 0 AND 4294967295), -- hours since 1970-01-01T00Z
    tenant     TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    outcome    TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL, -- empty unless the outcome is `rejected`
    events     BIGINT NOT NULL CHECK (events >= 0),
    PRIMARY KEY (hour, tenant, event_type, outcome, reason)
);

-- Masked samples of refused events, by the day.
CREATE TABLE dq_metrics_sample (
    day         BIGINT NOT NULL CHECK (day BETWEEN 0 AND 4294967295), -- days since 1970-01-01
    reason      TEXT COLLATE "C" NOT NULL,
    writer      BYTEA NOT NULL CHECK (length(writer) = 16),
    slot        BIGINT NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL,
    event_type  TEXT COLLATE "C" NOT NULL,
    ordinal     BIGINT NOT NULL,
    taken_at    BIGINT NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    trace_id    BYTEA CHECK (length(trace_id) = 16),
    detail      TEXT NOT NULL,
    excerpt     TEXT NOT NULL,
    fingerprint BIGINT NOT NULL,
    PRIMARY KEY (day, reason, writer, slot)
);

-- The last batch of each process, so that none is added twice.
CREATE TABLE dq_metrics_writer (
    writer   BYTEA PRIMARY KEY CHECK (length(writer) = 16),
    sequence BIGINT NOT NULL,
    day      BIGINT NOT NULL -- of the latest row in that batch
);
