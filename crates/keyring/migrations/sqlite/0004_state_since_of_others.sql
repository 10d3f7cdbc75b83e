-- A process of a version before 0003 that is still running changes a state and leaves since when: what may follow
-- would follow at once. It is so since now then. A process that knows the column sets it to another time, or to
-- the same one within a millisecond, which is now as well.
--
-- The change of the time counts as one more change, which costs a read. It does not come back here: the state
-- stays the same in it.
CREATE TRIGGER keyring_state_since AFTER UPDATE OF state ON keyring_data_key
    WHEN NEW.state <> OLD.state AND NEW.state_since = OLD.state_since
    BEGIN
        UPDATE keyring_data_key SET state_since = CAST(unixepoch('subsec') * 1000 AS INTEGER)
        WHERE key_id = NEW.key_id;
    END;
