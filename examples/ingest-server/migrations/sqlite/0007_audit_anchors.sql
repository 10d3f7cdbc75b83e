-- The latest checkpoint of each audit log, by the name of the log: who puts back an old copy of its files, and not of
-- this database, is found out at the next start.
CREATE TABLE audit_anchor (
    origin     TEXT NOT NULL PRIMARY KEY,
    checkpoint TEXT NOT NULL CHECK (length(checkpoint) <= 65536)
) STRICT, WITHOUT ROWID;
