//! What a tenant wrote before some time is deleted whole, where nobody will ask for it: events, their hashes, and
//! leads. Looking for them takes no lock, and begins where it ended last.

use portcullis_keyring::TenantId;
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use super::{
    erasure, event_hash::EventHash, failure::Failure, notes::Note, sealed_refs, shredding,
    sweeps::Sweeps,
};
use crate::{
    lead::LeadId,
    store::{
        StoreError,
        sweeping::{OldEvent, OldRows},
    },
    timestamp,
};

/// Rows that are looked at in one reading, found before they are deleted, and deleted in one transaction.
const LOOKED_AT: u32 = 20_000;
const FOUND: usize = 10_000;
const DELETED: usize = 200;

/// What looking at some rows came to.
enum Looked {
    /// There may be more.
    On,
    AtAll,
    /// An event is of another source.
    AtOthers,
}

/// Looks until enough are found, or all are looked at. Where none are, it notes how far it came.
pub(super) async fn find(
    sweeps: &Sweeps,
    tenant: &TenantId,
    source: &'static str,
    before: OffsetDateTime,
) -> Result<Option<OldRows>, StoreError> {
    let of = tenant.clone();
    let mut rows = sweeps
        .read(move |connection| noted(connection, &of))
        .await?;
    let began = (rows.event, rows.lead.clone());
    loop {
        let tenant = tenant.clone();
        let looking = sweeps.read(move |connection| {
            let mut looked = look_at_events(connection, &tenant, source, before, &mut rows)?;
            // One who has sent nothing as the probe does is somebody else.
            if !rows.events.is_empty()
                && matches!(looked, Looked::On | Looked::AtAll)
                && look_at_leads(connection, &tenant, before, &mut rows)?
            {
                looked = Looked::On;
            }
            Ok((rows, looked))
        });
        let looked;
        (rows, looked) = looking.await?;
        match looked {
            Looked::On if rows.count() < FOUND => {}
            Looked::On | Looked::AtAll => break,
            Looked::AtOthers => return Ok(None),
        }
    }
    if rows.count() == 0 && (rows.event, &rows.lead) != (began.0, &began.1) {
        let (tenant, rows) = (tenant.clone(), rows.clone());
        let note = move |connection: &Connection| note(connection, &tenant, &rows);
        sweeps.write(note).await?;
    }
    Ok(Some(rows))
}

/// Deletes what was found, and notes how far it was looked for.
pub(super) async fn delete(
    sweeps: &Sweeps,
    tenant: &TenantId,
    rows: OldRows,
) -> Result<(), StoreError> {
    for events in rows.events.chunks(DELETED) {
        let (tenant, events) = (tenant.clone(), events.to_vec());
        let delete = move |connection: &Connection| delete_events(connection, &tenant, &events);
        sweeps.write(delete).await?;
    }
    for leads in rows.leads.chunks(DELETED) {
        let (tenant, leads) = (tenant.clone(), leads.to_vec());
        let delete = move |connection: &Connection| {
            for lead in leads {
                erasure::erase_lead(connection, &tenant, lead)?;
            }
            Ok(())
        };
        sweeps.write(delete).await?;
    }
    let tenant = tenant.clone();
    let note = move |connection: &Connection| note(connection, &tenant, &rows);
    sweeps.write(note).await
}

/// Whether rows of events may have been deleted whose hashes wait in the memory of some process.
pub(super) fn may_be_gone(connection: &Connection) -> Result<bool, Failure> {
    Ok(Note::OldEvents.find(connection)?.is_some())
}

/// How far was looked; nowhere of a tenant that is another one's name.
fn noted(connection: &Connection, tenant: &TenantId) -> Result<OldRows, Failure> {
    let of_tenant = |note: Note| {
        let text = note.find(connection)?.unwrap_or_default();
        let place = text
            .split_once(' ')
            .filter(|(_, of)| *of == tenant.as_str());
        Ok::<_, Failure>(place.map_or_else(String::new, |(place, _)| place.to_owned()))
    };
    let event = of_tenant(Note::OldEvents)?;
    Ok(OldRows {
        event: event.parse().unwrap_or_default(),
        lead: of_tenant(Note::OldLeads)?,
        ..OldRows::default()
    })
}

fn note(connection: &Connection, tenant: &TenantId, rows: &OldRows) -> Result<(), Failure> {
    Note::OldEvents.set(connection, &format!("{} {}", rows.event, tenant.as_str()))?;
    Note::OldLeads.set(connection, &format!("{} {}", rows.lead, tenant.as_str()))
}

/// Looks at some events. It does not go past one that is not old enough.
fn look_at_events(
    connection: &Connection,
    tenant: &TenantId,
    source: &str,
    before: OffsetDateTime,
    rows: &mut OldRows,
) -> Result<Looked, Failure> {
    let last = "SELECT max(n) FROM (SELECT n FROM event WHERE n > ? ORDER BY n LIMIT ?)";
    let mut last = connection.prepare_cached(last)?;
    let last: Option<i64> = last.query_row(params![rows.event, LOOKED_AT], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok(Looked::AtAll);
    };
    let events = "SELECT n, source, id, received_at FROM event
        WHERE n > ? AND n <= ? AND tenant = ? ORDER BY n";
    let mut events = connection.prepare_cached(events)?;
    let mut found = events.query(params![rows.event, last, tenant.as_str()])?;
    let before = timestamp::Text::of(before);
    while let Some(row) = found.next()? {
        let (n, received_at): (i64, String) = (row.get(0)?, row.get(3)?);
        let event = OldEvent {
            n,
            source: row.get(1)?,
            id: row.get(2)?,
        };
        if event.source != source {
            return Ok(Looked::AtOthers);
        }
        if received_at.as_str() >= before.as_str() {
            rows.event = n - 1;
            return Ok(Looked::AtAll);
        }
        rows.events.push(event);
    }
    rows.event = last;
    Ok(Looked::On)
}

/// Looks at some leads; whether there may be more. Ids are of the time in which they were made.
fn look_at_leads(
    connection: &Connection,
    tenant: &TenantId,
    before: OffsetDateTime,
    rows: &mut OldRows,
) -> Result<bool, Failure> {
    let bound = LeadId::first_of(before).to_string();
    let last =
        "SELECT max(id) FROM (SELECT id FROM lead WHERE id > ? AND id < ? ORDER BY id LIMIT ?)";
    let mut last = connection.prepare_cached(last)?;
    let last = last.query_row(params![rows.lead, bound, LOOKED_AT], |row| row.get(0))?;
    let last: Option<String> = last;
    let Some(last) = last else {
        return Ok(false);
    };
    let leads = "SELECT id FROM lead WHERE id > ? AND id <= ? AND tenant = ? ORDER BY id";
    let mut leads = connection.prepare_cached(leads)?;
    let mut found = leads.query(params![rows.lead, last, tenant.as_str()])?;
    while let Some(row) = found.next()? {
        let id: String = row.get(0)?;
        let id = LeadId::parse(&id).ok_or(StoreError::Malformed("lead id"))?;
        rows.leads.push(id);
    }
    rows.lead = last;
    Ok(true)
}

fn delete_events(
    connection: &Connection,
    tenant: &TenantId,
    events: &[OldEvent],
) -> Result<(), Failure> {
    let delete = "DELETE FROM event WHERE n = ? AND tenant = ? RETURNING has_sealed";
    let mut delete = connection.prepare_cached(delete)?;
    let mut forget =
        connection.prepare_cached("DELETE FROM event_hash WHERE hash = ? AND n = ?")?;
    let mut had_sealed = false;
    for OldEvent { n, source, id } in events {
        let mut deleted = delete.query(params![n, tenant.as_str()])?;
        while let Some(row) = deleted.next()? {
            had_sealed |= row.get::<_, bool>(0)?;
        }
        drop(deleted);
        sealed_refs::replace(connection, *n, &[])?;
        let texts = [tenant.as_str(), source.as_str(), id.as_str()];
        forget.execute(params![EventHash::of(texts.map(str::as_bytes)), n])?;
    }
    if had_sealed {
        shredding::owe(connection)?;
    }
    Ok(())
}
