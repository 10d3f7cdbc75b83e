-- What became of what is promised, in five minutes: `slot` counts them from 1970-01-01T00:00Z. Each process adds rows of
-- its own, by a name that no other has. By objective first, as they are summed up.
CREATE TABLE slo_bucket (
    slo  TEXT    NOT NULL,
    slot INTEGER NOT NULL,
    node TEXT    NOT NULL,
    good INTEGER NOT NULL CHECK (good >= 0),
    bad  INTEGER NOT NULL CHECK (bad >= 0),
    PRIMARY KEY (slo, slot, node)
) STRICT, WITHOUT ROWID;
