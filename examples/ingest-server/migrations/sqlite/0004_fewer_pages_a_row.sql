-- What is written for a row is the pages that it touches: rows and index entries that come at the end
-- share theirs with those before them, entries at random places have one each.

-- Events in the order in which they came. `n` is never given out twice, even after its event was
-- deleted. `has_sealed` says whether the payload has sealed values. It has no default: a process of an
-- earlier version, which tells repeats by an index that is gone, cannot add events.
CREATE TABLE numbered_event (
    n              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant         TEXT NOT NULL,
    source         TEXT NOT NULL,
    id             TEXT NOT NULL,
    content_fp     BLOB NOT NULL,
    lead           TEXT,
    type           TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    time           TEXT NOT NULL,
    received_at    TEXT NOT NULL,
    payload        TEXT NOT NULL,
    has_sealed     INTEGER NOT NULL CHECK (has_sealed IN (0, 1))
) STRICT;

INSERT INTO numbered_event
SELECT rowid, tenant, source, id, content_fp, lead, type, schema_version, time, received_at, payload,
    instr(payload, '"pc1.') > 0
FROM event ORDER BY rowid;

DROP TABLE event;

ALTER TABLE numbered_event RENAME TO event;

-- Which events there are: the first 16 bytes of SHA-256 over tenant, source and id, each behind its
-- length. The latest events are not in here yet: who writes keeps their hashes in memory, and puts in
-- those of one first byte at a time. `event_hashed` says for each first byte up to which event that was
-- done; what comes behind is read from `event` after a start.
CREATE TABLE event_hash (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 16),
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event_hashed (
    first_byte INTEGER NOT NULL PRIMARY KEY,
    n          INTEGER NOT NULL
) STRICT;

WITH RECURSIVE byte (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM byte WHERE value < 255)
INSERT INTO event_hashed SELECT value, 0 FROM byte;

-- Blind index values, one for each live version, in the order in which they came. Each stands in one
-- index of values.
CREATE TABLE appended_lead_index (
    tenant  TEXT NOT NULL,
    field   TEXT NOT NULL,
    "index" TEXT NOT NULL,
    version INTEGER NOT NULL,
    value   BLOB NOT NULL,
    lead    TEXT NOT NULL
) STRICT;

INSERT INTO appended_lead_index SELECT tenant, field, "index", version, value, lead FROM lead_index
ORDER BY lead;

DROP TABLE lead_index;

ALTER TABLE appended_lead_index RENAME TO lead_index;

CREATE INDEX lead_index_by_lead ON lead_index (lead);

-- Only the e-mail identifies a lead.
CREATE UNIQUE INDEX lead_index_unique ON lead_index (value, tenant)
    WHERE field = 'lead.email' AND "index" = 'identity';

CREATE INDEX lead_index_by_value ON lead_index (value, lead)
    WHERE NOT (field = 'lead.email' AND "index" = 'identity');

-- Which data keys sealed values of events need, in the order in which they came.
CREATE TABLE event_sealed_ref (
    key_id INTEGER NOT NULL,
    row    TEXT NOT NULL
) STRICT;

CREATE INDEX event_sealed_ref_by_key ON event_sealed_ref (key_id);

INSERT INTO event_sealed_ref SELECT key_id, row FROM sealed_ref WHERE "table" = 'event';

DROP TABLE sealed_ref;

-- Those of leads are in their rows.
CREATE INDEX lead_email_key ON lead (email_key_version) WHERE email_key_version IS NOT NULL;
CREATE INDEX lead_phone_key ON lead (phone_key_version) WHERE phone_key_version IS NOT NULL;
CREATE INDEX lead_national_id_key ON lead (national_id_key_version)
    WHERE national_id_key_version IS NOT NULL;
CREATE INDEX lead_name_key ON lead (name_key_version) WHERE name_key_version IS NOT NULL;
CREATE INDEX lead_address_key ON lead (address_key_version) WHERE address_key_version IS NOT NULL;

-- Which data keys a row's sealed values need, so that a key is never destroyed while in use.
CREATE VIEW sealed_ref (key_id, "table", row) AS
    SELECT key_id, 'event', row FROM event_sealed_ref
    UNION ALL SELECT email_key_version, 'lead', id FROM lead WHERE email_key_version IS NOT NULL
    UNION ALL SELECT phone_key_version, 'lead', id FROM lead WHERE phone_key_version IS NOT NULL
    UNION ALL SELECT national_id_key_version, 'lead', id FROM lead
        WHERE national_id_key_version IS NOT NULL
    UNION ALL SELECT name_key_version, 'lead', id FROM lead WHERE name_key_version IS NOT NULL
    UNION ALL SELECT address_key_version, 'lead', id FROM lead WHERE address_key_version IS NOT NULL;
