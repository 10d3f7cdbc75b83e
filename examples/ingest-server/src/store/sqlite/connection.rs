//! The connections of this store's own threads, which run prepared statements without a hand-over for
//! each.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::failure::Failure;

/// What a connection that writes keeps of the file in memory. Random ids touch pages of the whole index.
const CACHED_KIB: u32 = 32 << 10;

/// Pages of the log after which they are put into the file: each page that is written many times until
/// then is put there once.
const CHECKPOINT_PAGES: u32 = 2_000;

/// Statements that stay prepared.
const STATEMENTS: usize = 64;

/// Opens the connection that writes. Acknowledged means durable, so every commit is synced; deleted
/// values are overwritten. What a statement may have to take back is kept in memory: as a file in a
/// temporary folder it would be written with each group.
pub(super) fn open_writing(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{CACHED_KIB};
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
    ))?;
    Ok(connection)
}

/// Runs a statement that takes and gives nothing.
pub(super) fn run(connection: &Connection, statement: &str) -> Result<(), Failure> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}
