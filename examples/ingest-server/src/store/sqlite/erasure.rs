//! Erasure: rows of leads are deleted, and what events hold of personal data is blanked. What is overwritten
//! is overwritten in the file as well (`secure_delete`); copies of it are shredded after that.

use portcullis_keyring::TenantId;
use rusqlite::{Connection, params};
use serde_json::Value;
use uuid::fmt::Hyphenated;

use super::{
    connection::counted, failure::Failure, notes::Note, sealed_refs, sealed_rows, shredding,
};
use crate::{json, lead::LeadId, store::NotedErasures};

/// Where the erasure of a tenant is, which takes more than one transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Reached {
    lead: Option<String>,
    event: i64,
}

/// Leads and events of one transaction that are looked at: those of others are passed over.
const LEADS: u32 = 200;
const EVENTS: u32 = 1_000;

/// Erases a lead of a tenant; false if there is none.
pub(super) fn erase_lead(
    connection: &Connection,
    tenant: &TenantId,
    id: LeadId,
) -> Result<bool, Failure> {
    let is_erased = delete_lead(connection, tenant, id)?;
    if is_erased {
        shredding::owe(connection)?;
    }
    Ok(is_erased)
}

/// The same for what may be left in the file.
pub(super) fn delete_lead(
    connection: &Connection,
    tenant: &TenantId,
    id: LeadId,
) -> Result<bool, Failure> {
    let mut text = [0; Hyphenated::LENGTH];
    let id = id.text(&mut text);
    let exists = "SELECT 1 FROM lead WHERE id = ? AND tenant = ?";
    let mut exists = connection.prepare_cached(exists)?;
    if !exists.exists([id, tenant.as_str()])? {
        return Ok(false);
    }
    delete_rows(connection, id)?;
    let events = "SELECT n, payload FROM event WHERE lead = ? AND tenant = ? AND has_sealed = 1";
    let mut events = connection.prepare_cached(events)?;
    let mut rows = events.query([id, tenant.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, row.get(1)?));
    }
    for (n, payload) in found {
        blank(connection, n, payload)?;
    }
    Ok(true)
}

/// Whether a tenant has a lead or an event. No index says so: of a name that nobody has, all are gone through.
pub(super) fn has_rows_of(connection: &Connection, tenant: &TenantId) -> Result<bool, Failure> {
    let rows =
        "SELECT 1 FROM lead WHERE tenant = ?1 UNION ALL SELECT 1 FROM event WHERE tenant = ?1";
    Ok(connection.prepare_cached(rows)?.exists([tenant.as_str()])?)
}

/// Whether the store of data keys, whose table lies in the same file, has noted a tenant as erased.
pub(super) fn is_erased(connection: &Connection, tenant: &TenantId) -> Result<bool, Failure> {
    let erased = "SELECT 1 FROM keyring_erased_tenant WHERE tenant = ?";
    Ok(connection
        .prepare_cached(erased)?
        .exists([tenant.as_str()])?)
}

/// How many erasures were noted when one last was; a database of an earlier version knows of tenants alone.
pub(super) const NOTED: &str = r#"SELECT coalesce(
    (SELECT CAST(cursor AS INTEGER) FROM sweep_cursor WHERE "table" = 'erasures' AND sweep = 'noted'),
    (SELECT count(*) FROM keyring_erased_tenant))"#;

pub(super) fn noted(connection: &Connection) -> Result<NotedErasures, Failure> {
    Ok(NotedErasures {
        count: connection.query_row(NOTED, [], |row| counted(row, 0))?,
        file: Note::ErasuresFile.find(connection)?,
    })
}

/// Remembers that.
pub(super) fn note(connection: &Connection, noted: &NotedErasures) -> Result<(), Failure> {
    Note::Erasures.set(connection, &noted.count.to_string())?;
    match &noted.file {
        Some(file) => Note::ErasuresFile.set(connection, file),
        None => Note::ErasuresFile.forget(connection),
    }
}

/// Erases some of a tenant's rows: how many, and where to go on; `None` at the end.
pub(super) fn erase_some(
    connection: &Connection,
    tenant: &TenantId,
    from: &Reached,
) -> Result<Option<(u64, Reached)>, Failure> {
    let after = from.lead.clone().unwrap_or_default();
    let last = "SELECT max(id) FROM (SELECT id FROM lead WHERE id > ? ORDER BY id LIMIT ?)";
    let last: Option<String> =
        connection.query_row(last, params![after, LEADS], |row| row.get(0))?;
    if let Some(last) = last {
        let rows = erase_leads(connection, tenant, &after, &last)?;
        owe_for(connection, rows)?;
        let place = Reached {
            lead: Some(last),
            ..from.clone()
        };
        return Ok(Some((rows, place)));
    }
    let last = "SELECT max(n) FROM (SELECT n FROM event WHERE n > ? ORDER BY n LIMIT ?)";
    let last: Option<i64> =
        connection.query_row(last, params![from.event, EVENTS], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(None);
    };
    let events = "SELECT n, payload FROM event
        WHERE n > ? AND n <= ? AND tenant = ? AND has_sealed = 1";
    let mut events = connection.prepare_cached(events)?;
    let found = events.query_map(params![from.event, last, tenant.as_str()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let found: Vec<(i64, String)> = found.collect::<Result<_, _>>()?;
    let rows = found.len() as u64;
    for (n, payload) in found {
        blank(connection, n, payload)?;
    }
    owe_for(connection, rows)?;
    let place = Reached {
        event: last,
        ..from.clone()
    };
    Ok(Some((rows, place)))
}

fn owe_for(connection: &Connection, rows: u64) -> Result<(), Failure> {
    if rows > 0 {
        shredding::owe(connection)?;
    }
    Ok(())
}

/// Deletes the leads of a tenant behind one id and up to another.
fn erase_leads(
    connection: &Connection,
    tenant: &TenantId,
    after: &str,
    last: &str,
) -> Result<u64, Failure> {
    let leads = "SELECT id FROM lead WHERE id > ? AND id <= ? AND tenant = ?";
    let mut leads = connection.prepare_cached(leads)?;
    let ids = leads.query_map([after, last, tenant.as_str()], |row| row.get(0))?;
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    for id in &ids {
        delete_rows(connection, id)?;
    }
    Ok(ids.len() as u64)
}

fn delete_rows(connection: &Connection, id: &str) -> Result<(), Failure> {
    for statement in [
        "DELETE FROM lead WHERE id = ?",
        "DELETE FROM lead_index WHERE lead = ?",
    ] {
        connection.prepare_cached(statement)?.execute([id])?;
    }
    Ok(())
}

/// Puts null in the place of each sealed value of an event: those under the keys that it needs, as another
/// text that looks sealed is a client's own. A payload that cannot be read is dropped whole.
fn blank(connection: &Connection, n: i64, payload: String) -> Result<(), Failure> {
    let ours = sealed_refs::of_event(connection, n)?;
    let blanked = json::read_data(payload.as_bytes()).map_or(Value::Null, |mut payload| {
        for (pointer, sealed) in sealed_rows::sealed_texts(&payload) {
            if ours.contains(&sealed.key_id())
                && let Some(place) = payload.pointer_mut(&pointer)
            {
                *place = Value::Null;
            }
        }
        payload
    });
    // The fingerprint of the content would tell a guess of it.
    let update = "UPDATE event SET payload = ?, content_fp = x'', has_sealed = 0 WHERE n = ?";
    let mut update = connection.prepare_cached(update)?;
    update.execute(params![blanked.to_string(), n])?;
    sealed_refs::replace(connection, n, &[])
}
