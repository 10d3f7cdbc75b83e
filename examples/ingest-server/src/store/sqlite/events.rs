//! Events, and what became of each.

use portcullis_keyring::TenantId;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::fmt::Hyphenated;

use super::{event_hash::EventHash, failure::Failure, seen_events::SeenEvents};
use crate::{
    store::{EventRow, Receipt, StoredContent},
    timestamp,
};

const INSERT: &str = "INSERT INTO event (tenant, source, id, content_fp, lead, type, \
    schema_version, time, received_at, payload, has_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Inserts an event, or says what is there in its place, of this group or an earlier one.
pub(super) fn insert(
    connection: &Connection,
    seen: &mut SeenEvents,
    tenant: &TenantId,
    event: &EventRow,
) -> Result<Option<Receipt>, Failure> {
    let hash = hash(tenant, event);
    if let Some(n) = seen.find(connection, hash)?
        && let Some(duplicate) = duplicate(connection, n, tenant, event)?
    {
        return Ok(Some(duplicate));
    }
    let mut lead = [0; Hyphenated::LENGTH];
    let lead = event.lead.map(|id| id.text(&mut lead));
    connection.prepare_cached(INSERT)?.execute(params![
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
        event.payload.contains(SEALED_TEXT),
    ])?;
    seen.add(hash, connection.last_insert_rowid());
    Ok(None)
}

/// Takes back an event that this group inserted and whose lead could not be written.
pub(super) fn withdraw(
    connection: &Connection,
    seen: &mut SeenEvents,
    tenant: &TenantId,
    event: &EventRow,
) -> Result<(), Failure> {
    let n = seen.remove(hash(tenant, event));
    let mut delete = connection.prepare_cached("DELETE FROM event WHERE n = ?")?;
    delete.execute([n])?;
    Ok(())
}

fn hash(tenant: &TenantId, event: &EventRow) -> EventHash {
    let texts = [tenant.as_str(), &event.source, &event.id];
    EventHash::of(texts.map(str::as_bytes))
}

/// How a sealed value begins within a payload. A text that only begins so is taken for one, at the
/// cost of its sender.
const SEALED_TEXT: &str = "\"pc1.";

/// Compares an event with the one of that number, if it is of the same tenant, source and id.
fn duplicate(
    connection: &Connection,
    n: i64,
    tenant: &TenantId,
    offered: &EventRow,
) -> Result<Option<Receipt>, Failure> {
    let statement = "SELECT content_fp, has_sealed FROM event \
        WHERE n = ? AND tenant = ? AND source = ? AND id = ?";
    let mut statement = connection.prepare_cached(statement)?;
    let texts = params![n, tenant.as_str(), offered.source, offered.id];
    let stored = statement.query_row(texts, |row| Ok((row.get(0)?, row.get(1)?)));
    let stored: Option<(Vec<u8>, bool)> = stored.optional()?;
    Ok(stored.map(|(content_fp, has_sealed)| {
        if content_fp == offered.content_fp {
            Receipt::DuplicateNatural
        } else if has_sealed {
            Receipt::DuplicateConflicting(StoredContent::Sealed)
        } else {
            Receipt::DuplicateConflicting(StoredContent::Plain)
        }
    }))
}
