-- Since when each version of a secret is used, in milliseconds since 1970: what its period is counted from. A table
-- of its own and a trigger, as processes of an earlier version, which add rows to secret_check without naming its
-- columns, go on beside this one. Of what they had added before nobody knows since when.
CREATE TABLE secret_first_use (
    secret  TEXT    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (secret, version)
) STRICT, WITHOUT ROWID;

-- Nothing is called '' but what tries whether the table can be written.
CREATE TRIGGER secret_first_use AFTER INSERT ON secret_check WHEN NEW.secret <> ''
    BEGIN
        INSERT INTO secret_first_use (secret, version, at)
        VALUES (NEW.secret, NEW.version, CAST(unixepoch('subsec') * 1000 AS INTEGER))
        ON CONFLICT DO NOTHING;
    END;
