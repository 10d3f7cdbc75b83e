//! The connections of this store's own threads, which run prepared statements without a hand-over for
//! each.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Row};

use super::{busy, failure::Failure, log};

/// What a connection that writes keeps of the file in memory: pages that leads touch all over their indexes.
/// Hashes of events are put in side by side and need little. SQLite walks the hash of its cache at commits,
/// so that more memory costs time: with 32 MiB, ten per cent of a batch.
const CACHED_KIB: u32 = 8 << 10;

/// Statements that stay prepared.
const STATEMENTS: usize = 64;

/// How long who reads waits for a lock: of the recovery after a crash, say.
const READING_BUSY: Duration = Duration::from_millis(1_200);

/// Opens the connection that writes. Acknowledged means durable, so every commit is synced; deleted
/// values are overwritten. What a statement may have to take back is kept in memory: as a file in a
/// temporary folder it would be written with each group.
pub(super) fn open_writing(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    busy::wait(&connection)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{CACHED_KIB};"
    ))?;
    log::keep_short(&connection);
    open_log(&connection)?;
    Ok(connection)
}

/// Opens a connection that reads and nothing else.
pub(super) fn open_reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.busy_timeout(READING_BUSY)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
    open_log(&connection)?;
    Ok(connection)
}

/// SQLite opens the log beside the file at the first statement that reads; later there may be no file
/// descriptors for it.
fn open_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // One thread has it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A number that SQLite counted.
pub(super) fn counted(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}

/// Runs a statement that takes and gives nothing.
pub(super) fn run(connection: &Connection, statement: &str) -> Result<(), Failure> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}
