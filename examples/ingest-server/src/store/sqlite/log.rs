//! The write-ahead log: when it is put into the file, begins again, and is emptied.

use std::{
    ffi::c_int,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rusqlite::{
    Connection,
    hooks::{CheckpointMode, Wal},
};

use super::{busy::waiting_at_most, failure::Failure};
use crate::clock::{Clock as _, SystemClock};

/// Pages of the log after which they are put into the file: each page that is written many times until
/// then is put there once.
pub(super) const CHECKPOINT_PAGES: u32 = 2_000;

/// Pages from which the log does not grow on while there is always somebody who reads it: 64 MiB. It
/// begins again by itself where nobody reads for a moment.
const LONG: c_int = 16 << 10;

/// How long those who read the log are waited for by one that keeps all others from writing meanwhile, and for how long
/// that is not done again where they read on. Who begins to read while they are waited for reads the file alone.
const READERS: Duration = Duration::from_millis(100);
const RESTART_EVERY: Duration = Duration::from_secs(1);

/// When, of all connections of the process, one may have a long log begin again: in milliseconds of the clock.
static NEXT_RESTART: AtomicU64 = AtomicU64::new(0);

/// Has a connection keep the log short after its commits.
pub(super) fn keep_short(connection: &Connection) {
    connection.wal_hook(Some(after_commit));
}

/// Nothing that fails here takes back the commit, so that there is nobody to tell; the next one tries again.
fn after_commit(log: &Wal, pages: c_int) -> rusqlite::Result<()> {
    if i64::from(pages) < i64::from(CHECKPOINT_PAGES) {
        return Ok(());
    }
    drop(log.checkpoint());
    if pages >= LONG && SystemClock.monotonic() >= next_restart() {
        let restart = || log.checkpoint_v2(CheckpointMode::RESTART);
        if waiting_at_most(READERS, restart).is_err() {
            put_off_restart();
        }
    }
    Ok(())
}

fn next_restart() -> Duration {
    Duration::from_millis(NEXT_RESTART.load(Ordering::Relaxed))
}

fn put_off_restart() {
    let next = SystemClock.monotonic().saturating_add(RESTART_EVERY);
    let next = u64::try_from(next.as_millis()).unwrap_or(u64::MAX);
    NEXT_RESTART.store(next, Ordering::Relaxed);
}

/// Puts all of the log into the file and empties it; false if somebody reads what stands in it.
pub(super) fn empty(connection: &Connection) -> Result<bool, Failure> {
    let empty = "PRAGMA wal_checkpoint(TRUNCATE)";
    let empty = || connection.query_row(empty, [], |row| row.get(0));
    let is_busy: bool = waiting_at_most(READERS, empty)?;
    Ok(!is_busy)
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use rusqlite::params;

    use super::*;
    use crate::store::sqlite::{SqliteStore, connection};

    /// Somebody reads at each moment, for a tenth of a second each time, in which others begin.
    fn read_always(path: &std::path::Path) -> impl FnOnce() + use<> {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let path = path.to_owned();
        let reading = thread::spawn(move || {
            let readers = [(); 2].map(|()| connection::open_reading(&path).unwrap());
            let begin = |reader: &Connection| {
                let read = "SELECT count(*) FROM event_hashed";
                reader.execute_batch("BEGIN").unwrap();
                let read: i64 = reader.query_row(read, [], |row| row.get(0)).unwrap();
                assert_eq!(read, 256);
            };
            let half = Duration::from_millis(40);
            begin(&readers[0]);
            for turn in 1.. {
                let ended = stopped.recv_timeout(half).is_ok();
                let [first, second] = &readers;
                let (old, new) = if turn % 2 == 1 {
                    (first, second)
                } else {
                    (second, first)
                };
                begin(new);
                old.execute_batch("COMMIT").unwrap();
                if ended {
                    break;
                }
            }
        });
        move || {
            stop.send(()).unwrap();
            reading.join().unwrap();
        }
    }

    #[tokio::test]
    async fn the_log_does_not_grow_on_while_somebody_always_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let stop = read_always(&path);
        let writer = connection::open_writing(&path).unwrap();
        // What is synced is as long.
        writer.pragma_update(None, "synchronous", "OFF").unwrap();
        let page = 4096;
        let log = folder.path().join("a.db-wal");
        let longest = 2 * u64::try_from(LONG).unwrap() * page;
        let write = "INSERT INTO sweep_cursor VALUES ('log', ?, ?)
            ON CONFLICT DO UPDATE SET cursor = excluded.cursor";
        let mut written = 0;
        for round in 0_u64.. {
            writer.execute_batch("BEGIN").unwrap();
            for row in 0..100 {
                let text = format!("{round:010}").repeat(300);
                writer
                    .execute(write, params![row.to_string(), text])
                    .unwrap();
            }
            writer.execute_batch("COMMIT").unwrap();
            written += 100 * page;
            if written > 2 * longest {
                break;
            }
        }
        stop();
        let log = fs::metadata(log).unwrap().len();
        assert!(log < longest, "{log} bytes of {written}");
        store.close().await;
    }
}
