//! Events, and what became of each.

use portcullis_keyring::TenantId;
use rusqlite::{Connection, params};
use uuid::fmt::Hyphenated;

use super::failure::Failure;
use crate::{
    store::{EventRow, Receipt, StoredContent},
    timestamp,
};

/// One row a statement: a statement of many rows has to be able to take back some of them, and keeps
/// every page it touches as it was for that.
const INSERT: &str = "INSERT INTO event (tenant, source, id, content_fp, lead, type, \
    schema_version, time, received_at, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT DO NOTHING";

/// Inserts an event, or says what is there in its place.
pub(super) fn insert(
    connection: &Connection,
    tenant: &TenantId,
    event: &EventRow,
) -> Result<Option<Receipt>, Failure> {
    let mut lead = [0; Hyphenated::LENGTH];
    let lead = event.lead.map(|id| id.text(&mut lead));
    let inserted = connection.prepare_cached(INSERT)?.execute(params![
        tenant.as_str(),
        event.source,
        event.id,
        event.content_fp,
        lead,
        event.event_type,
        event.schema_version,
        timestamp::Text::of(event.time).as_str(),
        timestamp::Text::of(event.received_at).as_str(),
        event.payload,
    ])?;
    if inserted == 1 {
        return Ok(None);
    }
    Ok(Some(duplicate(connection, tenant, event)?))
}

/// Takes back an event that this group inserted and whose lead could not be written.
pub(super) fn withdraw(
    connection: &Connection,
    tenant: &TenantId,
    event: &EventRow,
) -> Result<(), Failure> {
    let statement = "DELETE FROM event WHERE tenant = ? AND source = ? AND id = ?";
    let mut statement = connection.prepare_cached(statement)?;
    statement.execute(params![tenant.as_str(), event.source, event.id])?;
    Ok(())
}

/// How a sealed value begins within a payload. A text that only begins so is taken for one, at the
/// cost of its sender.
const SEALED_TEXT: &str = "\"pc1.";

/// Compares an event with the one that is there already, of this group or an earlier one.
fn duplicate(
    connection: &Connection,
    tenant: &TenantId,
    offered: &EventRow,
) -> Result<Receipt, Failure> {
    let statement = "SELECT content_fp, instr(payload, ?) > 0 FROM event \
        WHERE tenant = ? AND source = ? AND id = ?";
    let (content_fp, has_sealed): (Vec<u8>, bool) =
        connection.prepare_cached(statement)?.query_row(
            params![SEALED_TEXT, tenant.as_str(), offered.source, offered.id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    Ok(if content_fp == offered.content_fp {
        Receipt::DuplicateNatural
    } else if has_sealed {
        Receipt::DuplicateConflicting(StoredContent::Sealed)
    } else {
        Receipt::DuplicateConflicting(StoredContent::Plain)
    })
}
