//! Which data keys the rows of a group need, so that no key is destroyed while it is in use.

use rusqlite::{Connection, params};

use super::{failure::Failure, lead_sql};
use crate::store::{EventRow, LeadChange, LeadWrite};

const INSERT_EVENT: &str = "INSERT INTO sealed_ref VALUES (?, 'event', ?) ON CONFLICT DO NOTHING";

const INSERT_LEAD: &str = "INSERT INTO sealed_ref VALUES (?, 'lead', ?) ON CONFLICT DO NOTHING";

const DELETE_LEAD: &str = r#"DELETE FROM sealed_ref WHERE "table" = 'lead' AND row = ?"#;

/// Adds the references of an event that is new.
pub(super) fn insert_event(connection: &Connection, event: &EventRow) -> Result<(), Failure> {
    if event.key_ids.is_empty() {
        return Ok(());
    }
    let record = event.record();
    let mut insert = connection.prepare_cached(INSERT_EVENT)?;
    for key in &event.key_ids {
        insert.execute(params![key.value(), record])?;
    }
    Ok(())
}

/// Brings the references of a lead that was written in line with what is in its row: a new one has
/// those of its columns; of others, columns may have moved to other keys.
pub(super) fn write_lead(
    connection: &Connection,
    id: &str,
    lead: &LeadWrite,
) -> Result<(), Failure> {
    if lead.change == LeadChange::Create {
        let mut insert = connection.prepare_cached(INSERT_LEAD)?;
        for column in &lead.columns {
            insert.execute(params![column.key_id.value(), id])?;
        }
        return Ok(());
    }
    connection.prepare_cached(DELETE_LEAD)?.execute([id])?;
    connection
        .prepare_cached(&lead_sql::INSERT_REFS)?
        .execute([id])?;
    Ok(())
}
