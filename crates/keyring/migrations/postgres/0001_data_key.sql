CREATE TABLE keyring_data_key (
    key_id      BIGINT PRIMARY KEY CHECK (key_id BETWEEN 0 AND 4294967295),
    tenant      TEXT COLLATE "C" NOT NULL,
    purpose     TEXT COLLATE "C" NOT NULL,
    wrapped     BYTEA,
    state       TEXT NOT NULL CHECK (
        state IN ('pending', 'primary', 'decrypt-only', 'disabled', 'destroy-scheduled', 'destroyed')
    ),
    created_at  BIGINT NOT NULL, -- milliseconds since 1970-01-01T00:00:00Z
    state_since BIGINT NOT NULL, -- likewise
    CHECK ((wrapped IS NULL) = (state = 'destroyed'))
);

CREATE UNIQUE INDEX keyring_data_key_one_primary ON keyring_data_key (tenant, purpose)
    WHERE state = 'primary';
CREATE UNIQUE INDEX keyring_data_key_one_pending ON keyring_data_key (tenant, purpose)
    WHERE state = 'pending';
CREATE INDEX keyring_data_key_by_tenant ON keyring_data_key (tenant, key_id);
CREATE INDEX keyring_data_key_by_state ON keyring_data_key (state, key_id);

-- Erased tenants, so that none of them gets a key again.
CREATE TABLE keyring_erased_tenant (
    tenant TEXT COLLATE "C" PRIMARY KEY
);

-- One number that grows with every change that a process may have missed, so that one read tells that what
-- was read of all tenants still stands.
CREATE TABLE keyring_change (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number BIGINT NOT NULL
);
INSERT INTO keyring_change (one, number) VALUES (1, 0);

CREATE FUNCTION keyring_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE keyring_change SET number = number + 1;
    RETURN NULL;
END
$$;

-- A first key is no change: who lacks it finds it when making or opening with it.
CREATE TRIGGER keyring_change_by_insert AFTER INSERT ON keyring_data_key
    FOR EACH ROW WHEN (NEW.state <> 'primary') EXECUTE FUNCTION keyring_count_change();
CREATE TRIGGER keyring_change_by_update AFTER UPDATE ON keyring_data_key
    FOR EACH ROW EXECUTE FUNCTION keyring_count_change();
CREATE TRIGGER keyring_change_by_delete AFTER DELETE ON keyring_data_key
    FOR EACH ROW EXECUTE FUNCTION keyring_count_change();
