-- One number that grows with every change that a process may have missed, so that one read tells that
-- what was read of all tenants still stands. Triggers count for processes of earlier versions too.
CREATE TABLE keyring_change (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO keyring_change (one, number) VALUES (1, 0);

-- A first key is no change: who lacks it finds it when making or opening with it.
CREATE TRIGGER keyring_change_by_insert AFTER INSERT ON keyring_data_key
    WHEN NEW.state <> 'primary'
    BEGIN UPDATE keyring_change SET number = number + 1; END;
CREATE TRIGGER keyring_change_by_update AFTER UPDATE ON keyring_data_key
    BEGIN UPDATE keyring_change SET number = number + 1; END;
CREATE TRIGGER keyring_change_by_delete AFTER DELETE ON keyring_data_key
    BEGIN UPDATE keyring_change SET number = number + 1; END;
