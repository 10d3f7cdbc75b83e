-- Events as received, with personal data sealed in place.
CREATE TABLE event (
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
    UNIQUE (tenant, source, id)
) STRICT;

-- One person of interest of one tenant. `*_enc` are sealed fields, `*_key_version` the ids of the
-- data keys that sealed them, `*_fp` the fingerprints of the enforced index version.
CREATE TABLE lead (
    id                      TEXT NOT NULL PRIMARY KEY,
    tenant                  TEXT NOT NULL,
    email_enc               BLOB,
    email_key_version       INTEGER,
    email_fp                BLOB,
    phone_enc               BLOB,
    phone_key_version       INTEGER,
    phone_fp                BLOB,
    national_id_enc         BLOB,
    national_id_key_version INTEGER,
    national_id_fp          BLOB,
    name_enc                BLOB,
    name_key_version        INTEGER,
    address_enc             BLOB,
    address_key_version     INTEGER,
    created_at              TEXT NOT NULL,
    updated_at              TEXT NOT NULL
) STRICT;

-- Blind index values, one for each live version.
CREATE TABLE lead_index (
    tenant  TEXT NOT NULL,
    field   TEXT NOT NULL,
    "index" TEXT NOT NULL,
    version INTEGER NOT NULL,
    value   BLOB NOT NULL,
    lead    TEXT NOT NULL,
    PRIMARY KEY (tenant, field, "index", value, lead)
) STRICT, WITHOUT ROWID;

-- Only the e-mail identifies a lead.
CREATE UNIQUE INDEX lead_index_unique ON lead_index (tenant, field, "index", value)
    WHERE field = 'lead.email' AND "index" = 'identity';

CREATE INDEX lead_index_by_lead ON lead_index (lead, field);

-- Which data keys a row's sealed values need, so that a key is never destroyed while in use.
CREATE TABLE sealed_ref (
    key_id  INTEGER NOT NULL,
    "table" TEXT NOT NULL,
    row     TEXT NOT NULL,
    PRIMARY KEY (key_id, "table", row)
) STRICT, WITHOUT ROWID;

CREATE INDEX sealed_ref_by_row ON sealed_ref ("table", row);

-- One-way check values of the secrets this database was written with.
CREATE TABLE secret_check (
    secret  TEXT NOT NULL,
    version INTEGER NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (secret, version)
) STRICT, WITHOUT ROWID;

-- The phase of each index version; exactly one is enforced.
CREATE TABLE index_state (
    version INTEGER NOT NULL PRIMARY KEY,
    phase   TEXT NOT NULL
) STRICT;
