//! Which data keys sealed values of events need, so that no key is destroyed while it is in use. Those of
//! leads are in their rows; the view `sealed_ref` has both.

use rusqlite::{Connection, params};

use super::failure::Failure;
use crate::store::EventRow;

const INSERT: &str = "INSERT INTO event_sealed_ref (key_id, row) VALUES (?, ?)";

/// Adds the references of an event that is new.
pub(super) fn insert(connection: &Connection, event: &EventRow) -> Result<(), Failure> {
    if event.key_ids.is_empty() {
        return Ok(());
    }
    let record = event.record();
    let mut insert = connection.prepare_cached(INSERT)?;
    for key in &event.key_ids {
        insert.execute(params![key.value(), record])?;
    }
    Ok(())
}
