//! Events, and what became of each.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use portcullis_keyring::TenantId;
use portcullis_pii_crypto::IndexValue;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};
use uuid::fmt::Hyphenated;

use super::{event_hash::EventHash, failure::Failure, seen_events::SeenEvents};
use crate::{
    store::{EventRow, Receipt, StoredContent},
    timestamp,
};

const INSERT: &str = "INSERT INTO event (tenant, source, id, content_fp, lead, type, \
    schema_version, time, received_at, payload, has_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The events of one group: its statement is looked for once.
pub(super) struct Events<'c> {
    connection: &'c Connection,
    seen: &'c mut SeenEvents,
    insert: CachedStatement<'c>,
}

/// What became of an event that was to be inserted.
pub(super) enum Inserted {
    /// It has this number.
    As(i64),
    /// One of its source and id is there.
    Not(Receipt),
}

impl<'c> Events<'c> {
    pub(super) fn of_group(
        connection: &'c Connection,
        seen: &'c mut SeenEvents,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection,
            seen,
            insert: connection.prepare_cached(INSERT)?,
        })
    }

    /// Inserts an event, or says what is there in its place, of this group or an earlier one.
    pub(super) fn insert(
        &mut self,
        tenant: &TenantId,
        event: &EventRow,
    ) -> Result<Inserted, Failure> {
        if let Some(duplicate) = self.find(tenant, event)? {
            return Ok(Inserted::Not(duplicate));
        }
        let mut lead = [0; Hyphenated::LENGTH];
        let lead = event.lead.map(|id| id.text(&mut lead));
        self.insert.execute(params![
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
            has_sealed(&event.payload),
        ])?;
        let n = self.connection.last_insert_rowid();
        self.seen.add(hash(tenant, event), n);
        Ok(Inserted::As(n))
    }

    /// How an event is a duplicate, if one of its source and id is there, of this group or an earlier one.
    pub(super) fn find(
        &mut self,
        tenant: &TenantId,
        event: &EventRow,
    ) -> Result<Option<Receipt>, Failure> {
        match self.seen.find(self.connection, hash(tenant, event))? {
            Some(n) => duplicate(self.connection, n, tenant, event),
            None => Ok(None),
        }
    }

    /// Takes back an event that this group inserted and whose lead could not be written.
    pub(super) fn withdraw(&mut self, tenant: &TenantId, event: &EventRow) -> Result<(), Failure> {
        let n = self.seen.remove(hash(tenant, event));
        let delete = "DELETE FROM event WHERE n = ?";
        self.connection.prepare_cached(delete)?.execute([n])?;
        Ok(())
    }
}

fn hash(tenant: &TenantId, event: &EventRow) -> EventHash {
    let texts = [tenant.as_str(), &event.source, &event.id];
    EventHash::of(texts.map(str::as_bytes))
}

/// How a sealed value begins within a payload. A text that only begins so is taken for one, at the
/// cost of its sender.
fn has_sealed(payload: &str) -> bool {
    static SEALED_TEXT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"pc1."));
    SEALED_TEXT.find(payload.as_bytes()).is_some()
}

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
        if is_same(&content_fp, offered) {
            Receipt::DuplicateNatural
        } else if has_sealed {
            Receipt::DuplicateConflicting(StoredContent::Sealed)
        } else {
            Receipt::DuplicateConflicting(StoredContent::Plain)
        }
    }))
}

/// Whether an event has the content that a stored fingerprint is of. One under a version that is not
/// configured any more, and that of an erased content, tell nothing: the event is the one that came before.
fn is_same(stored: &[u8], offered: &EventRow) -> bool {
    let version = IndexValue::stored_version(stored);
    let under = [&offered.content_fp].into_iter().chain(&offered.other_fps);
    let mut comparable = under.filter(|offered| IndexValue::stored_version(offered) == version);
    version.is_none() || comparable.next().is_none_or(|offered| offered == stored)
}
