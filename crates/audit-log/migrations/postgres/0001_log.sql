-- One row: how many leaves the log has, which is the first that is not pruned, and the root of its tree. Who locks it
-- has the log.
CREATE TABLE audit_log (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    size  BIGINT NOT NULL CHECK (size >= 0),
    first BIGINT NOT NULL CHECK (first BETWEEN 0 AND size AND first % 256 = 0),
    root  BYTEA NOT NULL CHECK (length(root) = 32)
);
INSERT INTO audit_log (one, size, first, root)
VALUES (1, 0, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

-- The leaves. Everything but `leaf` is an index of it, and says what the leaf says. A leaf is bytes: JSONB would write
-- it otherwise than it was signed.
CREATE TABLE audit_event (
    n       BIGINT PRIMARY KEY CHECK (n >= 0),
    time    BIGINT NOT NULL, -- microseconds since 1970-01-01T00:00:00Z
    tenant  TEXT COLLATE "C" NOT NULL,
    actor   TEXT COLLATE "C" NOT NULL,
    action  TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    leaf    BYTEA NOT NULL
);
CREATE INDEX audit_event_by_tenant ON audit_event (tenant, n);
CREATE INDEX audit_event_by_actor ON audit_event (actor, n);
CREATE INDEX audit_event_by_action ON audit_event (action, n);
CREATE INDEX audit_event_by_outcome ON audit_event (outcome, n);

-- Against mistakes of the owner, whom no missing right keeps from it: who means to change one is found by verifying.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an audit event is never changed, and goes by pruning alone';
END
$$;
CREATE FUNCTION audit_refuse_unpruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.n >= (SELECT first FROM audit_log) THEN
        RAISE EXCEPTION 'an audit event is never changed, and goes by pruning alone';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER audit_event_is_never_changed BEFORE UPDATE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_event_is_never_emptied BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_event_goes_by_pruning_alone BEFORE DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_unpruned();

-- What a leaf has several of, each once.
CREATE TABLE audit_term (
    n     BIGINT NOT NULL,
    kind  TEXT COLLATE "C" NOT NULL CHECK (kind IN ('resource', 'field')),
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (n, kind, value)
);
CREATE INDEX audit_term_by_value ON audit_term (kind, value, n);

-- Between which times the leaves of a bundle are, so that a search by time looks at few others.
CREATE TABLE audit_bundle (
    number   BIGINT PRIMARY KEY CHECK (number >= 0),
    earliest BIGINT NOT NULL, -- as audit_event.time
    latest   BIGINT NOT NULL
);

-- Tiles of hashes, full ones and the last of each level.
CREATE TABLE audit_tile (
    level  BIGINT NOT NULL CHECK (level BETWEEN 0 AND 7),
    number BIGINT NOT NULL CHECK (number >= 0),
    hashes BYTEA NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, number)
);

-- One row: the checkpoint that is published, and the size of its tree.
CREATE TABLE audit_checkpoint (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    size BIGINT NOT NULL CHECK (size >= 0),
    note TEXT CHECK (note IS NOT NULL OR size = 0)
);
INSERT INTO audit_checkpoint (one, size, note) VALUES (1, 0, NULL);

-- Sealed personal parts.
CREATE TABLE audit_personal (
    n      BIGINT PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- How many leaves a tenant has.
CREATE TABLE audit_tenant (
    tenant TEXT COLLATE "C" PRIMARY KEY,
    leaves BIGINT NOT NULL CHECK (leaves >= 0)
);

-- How far those have come who follow the log.
CREATE TABLE audit_cursor (
    name TEXT COLLATE "C" PRIMARY KEY,
    next BIGINT NOT NULL CHECK (next >= 0)
);

-- Who reads leaves, the owner too, sees those that a policy shows: the service all, anybody else those of the tenant
-- that `audit.tenant` names.
ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_event FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_event_of_the_owner ON audit_event TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY audit_event_of_a_tenant ON audit_event FOR SELECT
    USING (tenant = current_setting('audit.tenant', true));

-- Takes the oldest leaves away, whole bundles that are published, at most 16 of them; gives the first that is left. It
-- runs with the rights of the owner, since nobody else may delete a leaf, and who may call it is granted that.
CREATE FUNCTION audit_prune(before BIGINT) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    log  audit_log%ROWTYPE;
    kept BIGINT;
BEGIN
    SELECT * INTO STRICT log FROM audit_log FOR UPDATE;
    SELECT greatest(log.first, least(before, log.first + 4096, log.size, size) / 256 * 256) INTO STRICT kept
        FROM audit_checkpoint;
    UPDATE audit_log SET first = kept;
    DELETE FROM audit_personal WHERE n < kept;
    DELETE FROM audit_term WHERE n < kept;
    DELETE FROM audit_event WHERE n < kept;
    DELETE FROM audit_bundle WHERE number < kept / 256;
    RETURN kept;
END
$$;
REVOKE EXECUTE ON FUNCTION audit_prune(BIGINT) FROM PUBLIC;

-- Gives a role what a service that appends needs: no right to change or delete a leaf.
CREATE FUNCTION audit_let_write(writer NAME) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), writer);
    EXECUTE format('GRANT SELECT, INSERT ON audit_event, audit_term TO %I', writer);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON audit_bundle, audit_tile, audit_tenant, audit_cursor TO %I', writer);
    EXECUTE format('GRANT SELECT, UPDATE ON audit_log, audit_checkpoint TO %I', writer);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON audit_personal TO %I', writer);
    EXECUTE format('GRANT SELECT ON audit_migrations TO %I', writer);
    EXECUTE format('DROP POLICY IF EXISTS %I ON audit_event', 'audit_event_of_' || writer);
    EXECUTE format('CREATE POLICY %I ON audit_event TO %I USING (true) WITH CHECK (true)',
        'audit_event_of_' || writer, writer);
END
$$;

-- Gives a role what it needs to prune: one that may write, in the service or beside it.
CREATE FUNCTION audit_let_prune(pruner NAME) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION audit_prune(BIGINT) TO %I', pruner);
END
$$;

-- Gives a role the leaves of the tenant that its connection names in `audit.tenant`, and nothing else.
CREATE FUNCTION audit_let_read(reader NAME) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
    EXECUTE format('GRANT SELECT ON audit_event TO %I', reader);
END
$$;
REVOKE EXECUTE ON FUNCTION audit_let_write(NAME), audit_let_prune(NAME), audit_let_read(NAME) FROM PUBLIC;

-- What runs with the rights of the owner finds these tables and no others.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_prune(BIGINT) SET search_path = %I, pg_temp', current_schema());
END
$$;
