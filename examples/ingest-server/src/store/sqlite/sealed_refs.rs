//! Which data keys sealed values of events need, so that no key is destroyed while it is in use. Those of
//! leads are in their rows; the view `sealed_ref` has both.

use std::collections::BTreeMap;

use portcullis_keyring::KeyId;
use rusqlite::{Connection, params};

use super::{connection::counted, failure::Failure};
use crate::lead::COLUMNS;

const INSERT: &str = "INSERT INTO event_sealed_ref (n, key_id) VALUES (?, ?)";

/// Adds the references of an event that is new.
pub(super) fn insert(connection: &Connection, n: i64, keys: &[KeyId]) -> Result<(), Failure> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(INSERT)?;
    for key in keys {
        insert.execute(params![n, key.value()])?;
    }
    Ok(())
}

/// Puts these in the place of an event's references.
pub(super) fn replace(connection: &Connection, n: i64, keys: &[KeyId]) -> Result<(), Failure> {
    let delete = "DELETE FROM event_sealed_ref WHERE n = ?";
    connection.prepare_cached(delete)?.execute([n])?;
    insert(connection, n, keys)
}

/// The keys that an event needs.
pub(super) fn of_event(connection: &Connection, n: i64) -> Result<Vec<KeyId>, Failure> {
    let select = "SELECT key_id FROM event_sealed_ref WHERE n = ?";
    let mut select = connection.prepare_cached(select)?;
    let keys = select.query_map([n], |row| Ok(KeyId::new(row.get(0)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// How many rows need each key. Those of no key are not asked for.
pub(super) fn count(connection: &Connection) -> Result<BTreeMap<KeyId, u64>, Failure> {
    let mut counts = BTreeMap::new();
    let mut add = |statement: &str| -> Result<(), Failure> {
        let mut select = connection.prepare(statement)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (key, rows): (u32, u64) = (row.get(0)?, counted(row, 1)?);
            *counts.entry(KeyId::new(key)).or_default() += rows;
        }
        Ok(())
    };
    add("SELECT key_id, count(*) FROM event_sealed_ref GROUP BY key_id")?;
    for column in COLUMNS {
        let key = format!("{}_key_version", column.name());
        add(&format!(
            "SELECT {key}, count(*) FROM lead WHERE {key} IS NOT NULL GROUP BY {key}"
        ))?;
    }
    Ok(counts)
}
