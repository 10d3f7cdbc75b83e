//! Which version of the index root is in which phase, and the rows of one that comes or goes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis_keyring::sweep::Cursor;
use portcullis_pii_crypto::{IndexPhase, IndexState, IndexVersion};
use rusqlite::{Connection, params};

use super::{connection::counted, failure::Failure, lead_sql};
use crate::{lead::LeadColumn, store::StoreError};

/// The state that the table has.
pub(super) fn read(connection: &Connection) -> Result<IndexState, Failure> {
    let mut select = connection.prepare_cached("SELECT version, phase, since FROM index_state")?;
    let mut rows = select.query([])?;
    let mut live = Vec::new();
    while let Some(row) = rows.next()? {
        let (version, phase): (u32, String) = (row.get(0)?, row.get(1)?);
        let since = counted(row, 2)?;
        let version = IndexVersion::try_from(version);
        let version = version.map_err(|_| StoreError::Malformed("index version"))?;
        let phase = IndexPhase::parse(&phase).ok_or(StoreError::Malformed("index phase"))?;
        live.push((version, phase, UNIX_EPOCH + Duration::from_millis(since)));
    }
    Ok(IndexState::new(live))
}

/// Writes a further version, beside the one that is enforced.
pub(super) fn begin(
    connection: &Connection,
    version: IndexVersion,
    at: SystemTime,
) -> Result<bool, Failure> {
    let insert = "INSERT INTO index_state (version, phase, since) SELECT ?1, 'written', ?2
        WHERE 1 = (SELECT count(*) FROM index_state)
        AND EXISTS (SELECT 1 FROM index_state WHERE phase = 'enforced' AND version <> ?1)";
    Ok(connection.execute(insert, params![version.value(), millis(at)])? == 1)
}

/// Enforces a written version in the place of the one before it, which goes on being written.
pub(super) fn enforce(
    connection: &Connection,
    version: IndexVersion,
    at: SystemTime,
) -> Result<bool, Failure> {
    let is_written = "SELECT 1 FROM index_state WHERE version = ? AND phase = 'written'";
    if !connection.prepare(is_written)?.exists([version.value()])? {
        return Ok(false);
    }
    let change = "UPDATE index_state SET since = ?2,
        phase = CASE version WHEN ?1 THEN 'enforced' ELSE 'retiring' END
        WHERE version = ?1 OR phase = 'enforced'";
    connection.execute(change, params![version.value(), millis(at)])?;
    Ok(true)
}

/// Takes a version out of use that is not enforced.
pub(super) fn drop_version(
    connection: &Connection,
    version: IndexVersion,
) -> Result<bool, Failure> {
    let delete = "DELETE FROM index_state WHERE version = ? AND phase <> 'enforced'";
    Ok(connection.execute(delete, [version.value()])? == 1)
}

/// Copies the values of a version into the columns of the next leads.
pub(super) fn copy_fingerprints(
    connection: &Connection,
    version: IndexVersion,
    after: &str,
    limit: u32,
) -> Result<Option<Cursor>, Failure> {
    let last = "SELECT max(id) FROM (SELECT id FROM lead WHERE id > ? ORDER BY id LIMIT ?)";
    let last: Option<String> =
        connection.query_row(last, params![after, limit], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(None);
    };
    for column in LeadColumn::searchable() {
        let mut copy = connection.prepare_cached(&lead_sql::copy_fingerprint(column))?;
        copy.execute(params![version.value(), after, last])?;
    }
    Ok(Some(Cursor::new(last)))
}

/// Deletes those of the next index rows that are of a version.
pub(super) fn delete_rows(
    connection: &Connection,
    version: IndexVersion,
    after: Option<&str>,
    limit: u32,
) -> Result<Option<Cursor>, Failure> {
    let after: i64 = match after {
        Some(text) => text.parse().map_err(|_| StoreError::Malformed("cursor"))?,
        None => 0,
    };
    let last = "SELECT max(rowid) FROM
        (SELECT rowid FROM lead_index WHERE rowid > ? ORDER BY rowid LIMIT ?)";
    let last: Option<i64> = connection.query_row(last, params![after, limit], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(None);
    };
    let delete = "DELETE FROM lead_index WHERE rowid > ? AND rowid <= ? AND version = ?
        AND NOT EXISTS (SELECT 1 FROM index_state WHERE index_state.version = lead_index.version)";
    connection.execute(delete, params![after, last, version.value()])?;
    Ok(Some(Cursor::new(last.to_string())))
}

/// How many index rows a version has.
pub(super) fn count_rows(connection: &Connection, version: IndexVersion) -> Result<u64, Failure> {
    let count = "SELECT count(*) FROM lead_index WHERE version = ?";
    Ok(connection.query_row(count, [version.value()], |row| counted(row, 0))?)
}

/// Folds the log into the file and empties it; false if somebody reads what stands in it.
pub(super) fn fold_log(connection: &Connection) -> Result<bool, Failure> {
    let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: bool = connection.query_row(fold, [], |row| row.get(0))?;
    Ok(!is_busy)
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
