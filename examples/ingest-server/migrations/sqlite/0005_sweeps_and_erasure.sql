-- What goes over stored rows: which version of the index root is in which phase and since when (in
-- milliseconds since 1970; 0 where an earlier version wrote it), and where a sweep was when it stopped.
ALTER TABLE index_state ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

CREATE TABLE sweep_cursor (
    "table" TEXT NOT NULL CHECK (length("table") <= 64),
    sweep   TEXT NOT NULL CHECK (length(sweep) <= 256),
    cursor  TEXT NOT NULL CHECK (length(cursor) <= 8192),
    PRIMARY KEY ("table", sweep)
) STRICT, WITHOUT ROWID;

-- An erasure finds the events of a lead. Ids of leads begin with the time: entries come near the end.
CREATE INDEX event_by_lead ON event (lead) WHERE lead IS NOT NULL;

-- Which data keys sealed values of events need, by the number of the event: its source and id are found
-- in no index, and are another tenant's as well. A sealed text begins with its suite and its key, which
-- are exactly the first eight characters behind `pc1.`; by them each reference finds its event.
CREATE INDEX event_by_record ON event (source || ' ' || id) WHERE has_sealed = 1;

CREATE TABLE numbered_event_sealed_ref (
    n      INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    PRIMARY KEY (n, key_id)
) STRICT, WITHOUT ROWID;

WITH
    suite (number) AS (VALUES (1), (2)),
    head (row, key_id, bits) AS (
        SELECT DISTINCT row, key_id, (0xF9 << 40) | (number << 32) | key_id
        FROM event_sealed_ref CROSS JOIN suite
    ),
    alphabet (text) AS (
        VALUES ('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    ),
    beginning (row, key_id, text) AS (
        SELECT row, key_id, '"pc1.'
            || substr(text, ((bits >> 42) & 63) + 1, 1) || substr(text, ((bits >> 36) & 63) + 1, 1)
            || substr(text, ((bits >> 30) & 63) + 1, 1) || substr(text, ((bits >> 24) & 63) + 1, 1)
            || substr(text, ((bits >> 18) & 63) + 1, 1) || substr(text, ((bits >> 12) & 63) + 1, 1)
            || substr(text, ((bits >> 6) & 63) + 1, 1) || substr(text, (bits & 63) + 1, 1)
        FROM head CROSS JOIN alphabet
    )
INSERT OR IGNORE INTO numbered_event_sealed_ref
SELECT event.n, beginning.key_id
FROM beginning CROSS JOIN event INDEXED BY event_by_record
    ON event.source || ' ' || event.id = beginning.row AND event.has_sealed = 1
WHERE instr(event.payload, beginning.text) > 0;

DROP INDEX event_by_record;

DROP VIEW sealed_ref;

DROP TABLE event_sealed_ref;

ALTER TABLE numbered_event_sealed_ref RENAME TO event_sealed_ref;

CREATE INDEX event_sealed_ref_by_key ON event_sealed_ref (key_id);

CREATE VIEW sealed_ref (key_id, "table", row) AS
    SELECT key_id, 'event', source || ' ' || id FROM event_sealed_ref JOIN event USING (n)
    UNION ALL SELECT email_key_version, 'lead', id FROM lead WHERE email_key_version IS NOT NULL
    UNION ALL SELECT phone_key_version, 'lead', id FROM lead WHERE phone_key_version IS NOT NULL
    UNION ALL SELECT national_id_key_version, 'lead', id FROM lead
        WHERE national_id_key_version IS NOT NULL
    UNION ALL SELECT name_key_version, 'lead', id FROM lead WHERE name_key_version IS NOT NULL
    UNION ALL SELECT address_key_version, 'lead', id FROM lead WHERE address_key_version IS NOT NULL;

-- Values of few bits are found within their tenant, and by many rows each.
DROP INDEX lead_index_by_value;

CREATE INDEX lead_index_by_value ON lead_index (value, lead)
    WHERE "index" = 'identity' AND NOT (field = 'lead.email' AND "index" = 'identity');

CREATE INDEX lead_index_by_search ON lead_index (tenant, field, value, lead)
    WHERE "index" = 'search';
