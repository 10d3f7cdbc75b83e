-- A database as the migration wrote it before tables had the prefix of the crate, by `.dump`:
-- tenant `t` under key-encryption key 1 (32 bytes 07), with a rotation behind it and another begun;
-- tenant `u` erased.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE portcullis_keyring_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO portcullis_keyring_migrations VALUES(1,'data key','2026-07-01 12:00:00',1,X'7e9b43ef658518acd7f016cae7131e475715a257921f66174bb12e8430eaef9459026a535f1ab2ae67d0fe67f16597ef',634363);
CREATE TABLE data_key (
    key_id     INTEGER PRIMARY KEY CHECK (key_id BETWEEN 0 AND 4294967295),
    tenant     TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    wrapped    BLOB,
    state      TEXT    NOT NULL CHECK (
        state IN ('pending', 'primary', 'decrypt-only', 'disabled', 'destroy-scheduled', 'destroyed')
    ),
    created_at INTEGER NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    CHECK ((wrapped IS NULL) = (state = 'destroyed'))
) STRICT;
INSERT INTO data_key VALUES(1085336386,'t','email',X'fa0100000001bab78b6ad5086bc343e069d93a1d8564287a34d5cbbd8f9102f9f0e01d2d7551800cab199891de28f7059348629c5ee402d4fa65dbd8e77ae39aecdf','decrypt-only',1750000000000);
INSERT INTO data_key VALUES(1608775223,'t','email',X'fa01000000011b646db13f782c5eb0427181f2be5b0afc7a2c9d7398196c810fd93d01f40e792f726de5a299c31e3de8f103e6eaea3cf4deec323891d0ab08565d4f','pending',1750000015000);
INSERT INTO data_key VALUES(1797791433,'t','phone',X'fa0100000001f2811df6f8d1318c235591ebb14e534767d1d406506064b2385922b20f49d2bcca9678c8d0291fd35e2b6c2e01debfae9162192e177b7f9a02c4be13','primary',1750000000000);
INSERT INTO data_key VALUES(2043330234,'t','email',X'fa010000000120e35cb0db007bc0883680de91d27523e1b8694b6e1b53949cbea3789cc9eeff7de1fedfceb7ac99fe443a2b83ec5a808ea30ba9fc19b576ee406a8a','primary',1750000000000);
INSERT INTO data_key VALUES(4102050662,'u','email',NULL,'destroyed',1750000015000);
CREATE TABLE data_key_erased_tenant (
    tenant TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO data_key_erased_tenant VALUES('u');
CREATE UNIQUE INDEX data_key_one_primary ON data_key (tenant, purpose) WHERE state = 'primary';
CREATE UNIQUE INDEX data_key_one_pending ON data_key (tenant, purpose) WHERE state = 'pending';
CREATE INDEX data_key_by_tenant ON data_key (tenant, key_id);
COMMIT;
