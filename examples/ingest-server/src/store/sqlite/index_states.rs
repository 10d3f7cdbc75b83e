//! The phases of the index versions, and what a rotation does to all index values.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use portcullis_pii_crypto::{
    IndexState, IndexVersion,
    index_rotation::{IndexStates, IndexStatesError, Replaced},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{checks, connection::counted, failure::Failure, lead_sql, shredding, sweeps::Sweeps};
use crate::{lead::LeadColumn, store::StoreError};

/// Those of the database. Where it is in its rows is kept in memory, to spare it those that are done, and with
/// what it is done for: for anything else, in another process and after a restart it begins with the first row
/// again, and finds nothing to do in those that are done.
#[derive(Debug)]
pub(super) struct SqliteIndexStates {
    sweeps: Sweeps,
    /// For which version, and the id of the last lead whose columns were copied.
    copied: Mutex<Option<(IndexVersion, String)>>,
    /// Beside which live versions, and the number of the last index row that was looked at.
    deleted: Mutex<Option<(String, i64)>>,
}

impl SqliteIndexStates {
    pub(super) const fn new(sweeps: Sweeps) -> Self {
        Self {
            sweeps,
            copied: Mutex::new(None),
            deleted: Mutex::new(None),
        }
    }
}

fn replace(
    connection: &Connection,
    expected: &IndexState,
    new: &IndexState,
) -> Result<Replaced, Failure> {
    if checks::index_state(connection)? != *expected {
        return Ok(Replaced::Changed);
    }
    connection.execute("DELETE FROM index_state", [])?;
    let insert = "INSERT INTO index_state (version, phase, since) VALUES (?, ?, ?)";
    for (version, phase, since) in new.rows() {
        let row = params![version.value(), phase.as_str(), millis(since)];
        connection.execute(insert, row)?;
    }
    Ok(Replaced::Done)
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How often a field of a lead has values under one of two versions and not under the other.
fn differences(
    connection: &Connection,
    enforced: IndexVersion,
    written: IndexVersion,
) -> Result<u64, Failure> {
    let differences = r#"SELECT count(*) FROM (
        SELECT 1 FROM lead_index INDEXED BY lead_index_by_lead WHERE version IN (?1, ?2)
        GROUP BY lead, tenant, field, "index" HAVING count(DISTINCT version) <> 2)"#;
    let versions = [enforced.value(), written.value()];
    Ok(connection.query_row(differences, versions, |row| counted(row, 0))?)
}

/// Copies the values of a version into the columns of the next leads. Gives how many were written and where
/// that ended; nothing behind the last.
fn copy_columns(
    connection: &Connection,
    version: IndexVersion,
    after: &str,
    limit: u32,
) -> Result<Option<(u64, String)>, Failure> {
    let last = "SELECT max(id) FROM (SELECT id FROM lead WHERE id > ? ORDER BY id LIMIT ?)";
    let last: Option<String> =
        connection.query_row(last, params![after, limit], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(None);
    };
    let mut written = 0;
    for column in LeadColumn::searchable() {
        let mut copy = connection.prepare_cached(&lead_sql::copy_fingerprint(column))?;
        written += copy.execute(params![version.value(), after, last])? as u64;
    }
    Ok(Some((written, last)))
}

/// Deletes those of the next index rows that are of none of these versions.
fn delete_others(
    connection: &Connection,
    live: &str,
    after: i64,
    limit: u32,
) -> Result<Option<(u64, i64)>, Failure> {
    let last = "SELECT rowid FROM lead_index WHERE rowid > ? ORDER BY rowid LIMIT 1 OFFSET ? - 1";
    let last = connection.query_row(last, params![after, limit], |row| row.get(0));
    let last: Option<i64> = match last.optional()? {
        Some(last) => Some(last),
        None => {
            let last = "SELECT max(rowid) FROM lead_index WHERE rowid > ?";
            connection.query_row(last, [after], |row| row.get(0))?
        }
    };
    let Some(last) = last else {
        return Ok(None);
    };
    let delete = "DELETE FROM lead_index WHERE rowid > ? AND rowid <= ?
        AND version NOT IN (SELECT value FROM json_each(?))
        AND version NOT IN (SELECT version FROM index_state)";
    let deleted = connection.execute(delete, params![after, last, live])? as u64;
    Ok(Some((deleted, last)))
}

#[async_trait]
impl IndexStates for SqliteIndexStates {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        let read = self.sweeps.read(checks::index_state);
        read.await.map_err(IndexStatesError::new)
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        let (expected, new) = (expected.clone(), new.clone());
        let replace = move |connection: &_| replace(connection, &expected, &new);
        let replaced = self.sweeps.write(replace).await;
        replaced.map_err(IndexStatesError::new)
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        let count = move |connection: &_| differences(connection, enforced, written);
        self.sweeps.read(count).await.map_err(IndexStatesError::new)
    }

    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        loop {
            let after = place(&self.copied, &version).unwrap_or_default();
            let copy = move |connection: &_| copy_columns(connection, version, &after, limit.get());
            let copied = self.sweeps.write(copy).await;
            let Some((written, last)) = copied.map_err(IndexStatesError::new)? else {
                *locked(&self.copied) = None;
                return Ok(0);
            };
            *locked(&self.copied) = Some((version, last));
            if written > 0 {
                return Ok(written);
            }
        }
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        let live: Vec<String> = live.iter().map(ToString::to_string).collect();
        let live = format!("[{}]", live.join(","));
        loop {
            let after = place(&self.deleted, &live).unwrap_or_default();
            let beside = live.clone();
            let delete = move |connection: &_| {
                let deleted = delete_others(connection, &beside, after, limit.get())?;
                if matches!(deleted, Some((1.., _))) {
                    shredding::owe(connection)?;
                }
                Ok(deleted)
            };
            let deleted: Result<_, StoreError> = self.sweeps.write(delete).await;
            let Some((rows, last)) = deleted.map_err(IndexStatesError::new)? else {
                *locked(&self.deleted) = None;
                return Ok(0);
            };
            *locked(&self.deleted) = Some((live.clone(), last));
            if rows > 0 {
                return Ok(rows);
            }
        }
    }
}

/// Where it is, if that is for the same.
fn place<K: PartialEq, T: Clone>(known: &Mutex<Option<(K, T)>>, of: &K) -> Option<T> {
    let known = locked(known);
    let known = known.as_ref().filter(|(known, _)| known == of);
    known.map(|(_, at)| at.clone())
}

fn locked<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
