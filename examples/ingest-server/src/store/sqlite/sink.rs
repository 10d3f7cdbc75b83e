//! Writes groups on a connection that is given up whenever something failed on it.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::Connection;

use super::{
    connection::{self, run},
    events::{Events, Inserted},
    failure::Failure,
    file::OpenedFile,
    group_checks::GroupChecks,
    leads, sealed_refs,
    seen_events::SeenEvents,
    turn::WriteTurns,
};
use crate::{
    clock::Clock,
    store::{Asked, Committed, Group, GroupSink, Receipt, StoreError, Write},
};

/// The one connection that writes groups.
#[derive(Debug)]
pub(super) struct SqliteSink {
    path: PathBuf,
    file: OpenedFile,
    turns: WriteTurns,
    /// None after a failure.
    writing: Option<Writing>,
}

/// A connection on which nothing has failed, and what is known of the events through it.
#[derive(Debug)]
struct Writing {
    connection: Connection,
    seen: SeenEvents,
}

impl Writing {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        Ok(Self {
            connection: connection::open_writing(path)?,
            seen: SeenEvents::default(),
        })
    }
}

impl SqliteSink {
    /// Opens the connection at once: later there may be no file descriptors for it.
    pub(super) fn open(path: PathBuf, file: OpenedFile, turns: WriteTurns) -> Self {
        // Where that fails, so does the first group, and says why.
        let writing = Writing::open(&path).ok();
        Self {
            path,
            file,
            turns,
            writing,
        }
    }

    /// Does it in a transaction that holds the write lock from its start, so that what it reads stays
    /// true.
    ///
    /// The connection is kept after a commit that succeeded, and where nothing began because another
    /// process has the lock; it is closed in every other case. After a failure nobody knows whether SQLite has rolled back (it does so by itself on a full disk and on
    /// most I/O errors, and then refuses `ROLLBACK`). Closing it ends whatever it was in.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut SeenEvents) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut writing = match self.writing.take() {
            Some(writing) => writing,
            None => Writing::open(&self.path)?,
        };
        if let Err(failure) = run(&writing.connection, "BEGIN IMMEDIATE") {
            if failure.is_busy() {
                self.writing = Some(writing);
            }
            return Err(failure);
        }
        let _writing = self.turns.writing();
        let done = work(&writing.connection, &mut writing.seen)?;
        run(&writing.connection, "COMMIT")?;
        self.writing = Some(writing);
        Ok(done)
    }
}

#[async_trait]
impl GroupSink for SqliteSink {
    async fn commit(&mut self, group: &Group, clock: &dyn Clock) -> Result<Committed, StoreError> {
        let _turn = self.turns.take_soon().await;
        let committed = self.write(|connection, seen| {
            seen.catch_up(connection)?;
            let mut checks = GroupChecks::of_group(connection, clock);
            let mut events = Events::of_group(connection, seen)?;
            let writes = group.writes.iter();
            let receipts = writes.map(|write| match checks.refuse(write)? {
                Some(refused) => Ok(refused),
                None => write_one(connection, &mut events, write),
            });
            let receipts = receipts.collect::<Result<Vec<_>, Failure>>()?;
            drop(events);
            seen.settle(connection)?;
            // The last thing before the commit, which cannot be taken back.
            let earliest = group.earliest(&receipts);
            if earliest.is_some_and(|decided| !decided.may_be_committed(clock.monotonic())) {
                return Err(StoreError::Late.into());
            }
            Ok(Committed { receipts })
        })?;
        // Durable in a file that is no longer the database is not durable.
        self.file.verify()?;
        Ok(committed)
    }

    async fn try_writing(&mut self) -> Result<(), StoreError> {
        let _turn = self.turns.take_soon().await;
        self.write(|connection, _| {
            // Deleted pages are overwritten with zeros, so all of them reach the log.
            for statement in [
                "INSERT INTO secret_check VALUES ('', 0, zeroblob(?))",
                "DELETE FROM secret_check WHERE secret = '' AND length(value) = ?",
            ] {
                connection.execute(statement, [TRIAL_BYTES])?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// What an ordinary group makes durable.
const TRIAL_BYTES: i64 = 1 << 20;

/// Writes an event and its lead, both or neither.
fn write_one(
    connection: &Connection,
    events: &mut Events<'_>,
    write: &Write,
) -> Result<Receipt, Failure> {
    if write.asked == Asked::Recognise {
        let known = write.event.as_ref();
        let known = known.map(|event| events.find(&write.tenant, event));
        return Ok(known.transpose()?.flatten().unwrap_or(Receipt::Unknown));
    }
    let n = match &write.event {
        Some(event) => match events.insert(&write.tenant, event)? {
            Inserted::As(n) => Some(n),
            Inserted::Not(duplicate) => return Ok(duplicate),
        },
        None => None,
    };
    if let Some(lead) = &write.lead
        && !leads::write(connection, &write.tenant, lead)?
    {
        if let Some(event) = &write.event {
            events.withdraw(&write.tenant, event)?;
        }
        return Ok(Receipt::LostRace);
    }
    if let Some((event, n)) = write.event.as_ref().zip(n) {
        sealed_refs::insert(connection, n, &event.key_ids)?;
    }
    Ok(Receipt::Stored)
}

#[cfg(test)]
mod tests;
