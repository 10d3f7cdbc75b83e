//! Who waits for the write lock of a file has it before who asks later: SQLite itself knows no order, and one that writes
//! without a pause would have it next more often than not.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::SqlitePool;
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// How long a place is waited for. One that does not become free is of a process that was stopped in it: the lock is
/// asked for without a place then.
const TIMEOUT: Duration = Duration::from_millis(250);

/// How often it is asked for.
const PAUSE: Duration = Duration::from_millis(1);

/// The place of who has the write lock next, until it is dropped. Who has just had the lock finds the place taken by who
/// waits. `None` for a database that is no file, or beside which no file can be.
pub(super) async fn take(pool: &SqlitePool) -> Option<File> {
    let database = pool.connect_options().get_filename().to_owned();
    let opened = spawn_blocking(move || open(&database)).await;
    let file = opened.ok()??;
    let taking = async {
        loop {
            match file.try_lock() {
                Ok(()) => return true,
                Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
                Err(TryLockError::Error(_)) => return false,
            }
        }
    };
    let is_taken = timeout(TIMEOUT, taking).await == Ok(true);
    is_taken.then_some(file)
}

fn open(database: &Path) -> Option<File> {
    if !database.is_file() {
        return None;
    }
    // Never the database itself: closing it would end the locks that SQLite has on it in this process.
    let mut beside = OsString::from(database);
    beside.push("-turn");
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    options.open(PathBuf::from(beside)).ok()
}
