//! Leads as they are read, each within its tenant.

use std::collections::{HashMap, HashSet};

use portcullis_keyring::TenantId;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter, types::ToSql};
use uuid::fmt::Hyphenated;

use super::{failure::Failure, lead_sql};
use crate::{
    lead::{COLUMNS, LeadColumn, LeadId, LeadRecord, StoredColumn, StoredValue},
    store::{IndexedLead, KnownLeads, Owner, StoreError},
};

/// The lead of that id, if it is the tenant's.
pub(super) fn by_id(
    connection: &Connection,
    tenant: &TenantId,
    id: LeadId,
) -> Result<Option<LeadRecord>, Failure> {
    let mut select = connection.prepare_cached(&lead_sql::SELECT)?;
    let mut rows = select.query([id.text(&mut [0; Hyphenated::LENGTH]), tenant.as_str()])?;
    rows.next()?.map(decode).transpose()
}

/// What any of some index values of the tenant leads to, oldest first.
pub(super) fn by_index(
    connection: &Connection,
    tenant: &TenantId,
    column: &LeadColumn,
    values: &[Vec<u8>],
    after: Option<LeadId>,
    limit: u32,
) -> Result<Vec<IndexedLead>, Failure> {
    let select = lead_sql::select_by_index(column, values.len(), limit);
    indexed_leads(connection, &select, tenant, values, after)
}

/// What has every one of some values in a column's index of parts, oldest first.
pub(super) fn by_parts(
    connection: &Connection,
    tenant: &TenantId,
    column: &LeadColumn,
    values: &[Vec<u8>],
    after: Option<LeadId>,
    limit: u32,
) -> Result<Vec<IndexedLead>, Failure> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let select = lead_sql::select_by_parts(column, values.len(), limit);
    indexed_leads(connection, &select, tenant, values, after)
}

fn indexed_leads(
    connection: &Connection,
    select: &str,
    tenant: &TenantId,
    values: &[Vec<u8>],
    after: Option<LeadId>,
) -> Result<Vec<IndexedLead>, Failure> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let mut select = connection.prepare_cached(select)?;
    let tenant = tenant.as_str();
    let fixed: [&dyn ToSql; 2] = [&tenant, &after];
    let values = values.iter().map(|value| value as &dyn ToSql);
    let mut rows = select.query(params_from_iter(fixed.into_iter().chain(values)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(indexed(row)?);
    }
    Ok(found)
}

fn indexed(row: &Row<'_>) -> Result<IndexedLead, Failure> {
    if row.get::<_, Option<String>>(ID)?.is_none() {
        return Ok(IndexedLead::Nowhere);
    }
    match decode(row) {
        Ok(lead) => Ok(IndexedLead::Found(lead)),
        Err(Failure::Store(StoreError::Malformed(_))) => Ok(IndexedLead::Nowhere),
        Err(failure) => Err(failure),
    }
}

/// Which leads own fingerprints of an identity column, and which of some ids are leads.
pub(super) fn known(
    connection: &Connection,
    tenant: &TenantId,
    column: &LeadColumn,
    fingerprints: Vec<Vec<u8>>,
    ids: &[LeadId],
) -> Result<KnownLeads, Failure> {
    let mut owner = connection.prepare_cached(&lead_sql::select_owner(column))?;
    let mut owners = HashMap::with_capacity(fingerprints.len());
    for fingerprint in fingerprints {
        let lead = owner
            .query_row(params![tenant.as_str(), fingerprint], |row| row.get(0))
            .optional()?;
        if let Some(lead) = lead {
            let lead: Option<String> = lead;
            let lead = lead.as_deref().and_then(LeadId::parse);
            owners.insert(fingerprint, lead.map_or(Owner::Nowhere, Owner::Lead));
        }
    }
    let statement = "SELECT 1 FROM lead WHERE id = ? AND tenant = ?";
    let mut exists = connection.prepare_cached(statement)?;
    let mut existing = HashSet::new();
    for id in ids {
        if exists.exists([id.text(&mut [0; Hyphenated::LENGTH]), tenant.as_str()])? {
            existing.insert(*id);
        }
    }
    Ok(KnownLeads { owners, existing })
}

/// Where [`lead_sql::SELECTED`] has them.
const ID: usize = 0;
const CREATED_AT: usize = 1;
const UPDATED_AT: usize = 2;
const FIRST_COLUMN: usize = 3;

fn decode(row: &Row<'_>) -> Result<LeadRecord, Failure> {
    let id: String = row.get(ID)?;
    let mut sealed = Vec::with_capacity(COLUMNS.len());
    let mut at = FIRST_COLUMN;
    for column in COLUMNS {
        sealed.extend(stored(row, at, column));
        at += lead_sql::columns(column).count();
    }
    Ok(LeadRecord {
        id: LeadId::parse(&id).ok_or(StoreError::Malformed("lead id"))?,
        sealed,
        created_at: row.get(CREATED_AT).ok(),
        updated_at: row.get(UPDATED_AT).ok(),
    })
}

/// A column that the lead has, from where it stands in the row. A row may hold anything that somebody
/// wrote past this service: what has another type, or lacks one of its parts, is there and has no value.
fn stored(row: &Row<'_>, at: usize, column: &'static LeadColumn) -> Option<StoredColumn> {
    let sealed = row.get::<_, Option<Vec<u8>>>(at);
    let key_id = row.get::<_, Option<u32>>(at + 1);
    let fingerprint = if column.is_indexed() {
        row.get::<_, Option<Vec<u8>>>(at + 2)
    } else {
        Ok(None)
    };
    let value = match (sealed, key_id, fingerprint) {
        (Ok(None), Ok(None), Ok(None)) => return None,
        (Ok(Some(sealed)), Ok(Some(key_id)), Ok(fingerprint))
            if fingerprint.is_some() == column.is_indexed() =>
        {
            Some(StoredValue {
                sealed,
                key_id,
                fingerprint,
            })
        }
        _ => None,
    };
    Some(StoredColumn { column, value })
}
