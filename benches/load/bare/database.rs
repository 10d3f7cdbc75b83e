//! The tables, and connections to them with the durability of the service.

use std::path::Path;

use rusqlite::Connection;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS event (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    dataschema TEXT,
    data TEXT NOT NULL,
    UNIQUE (tenant, source, id)
);
CREATE TABLE IF NOT EXISTS lead (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    phone TEXT,
    UNIQUE (tenant, email)
);";

/// A connection; what it commits is on the disk.
pub(super) fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}
