//! Leads as they are read, each within its tenant.

use std::collections::HashMap;

use portcullis_keyring::TenantId;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};

use super::{failure::Failure, leads::INDEX};
use crate::{
    lead::{COLUMNS, LeadColumn, LeadId, LeadRecord, StoredColumn, StoredValue},
    store::{IndexedLead, Owner, StoreError},
};

/// The lead of that id, if it is the tenant's.
pub(super) async fn by_id(
    pool: &SqlitePool,
    tenant: &TenantId,
    id: LeadId,
) -> Result<Option<LeadRecord>, Failure> {
    let row = sqlx::query("SELECT * FROM lead WHERE id = ? AND tenant = ?")
        .bind(id.to_string())
        .bind(tenant.as_str())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(decode).transpose()
}

/// Which entries stand in `lead_index_unique`, in the words by which SQLite finds that out.
macro_rules! identity {
    () => {
        r#"(field = 'lead.email' AND "index" = 'identity')"#
    };
}

/// Selects what values of an index lead to: its tenant, field and name, the values, the lead after which
/// to begin, and how many.
macro_rules! by_index {
    ($among:expr, $values:literal) => {
        concat!(
            "SELECT lead.* FROM lead_index
            LEFT JOIN lead ON lead.id = lead_index.lead AND lead.tenant = lead_index.tenant
            WHERE ",
            $among,
            r#" AND lead_index.tenant = ? AND field = ? AND "index" = ? AND lead_index.value "#,
            $values,
            " AND lead_index.lead > ? ORDER BY lead_index.lead LIMIT ?"
        )
    };
}

const ONE_IDENTITY: &str = by_index!(identity!(), "= ?");
const ONE_OTHER: &str = by_index!(concat!("NOT ", identity!()), "= ?");
const SOME_IDENTITIES: &str = by_index!(identity!(), "IN (SELECT unhex(value) FROM json_each(?))");
const SOME_OTHERS: &str = by_index!(
    concat!("NOT ", identity!()),
    "IN (SELECT unhex(value) FROM json_each(?))"
);

/// What any of some index values of the tenant leads to, oldest first.
pub(super) async fn by_index(
    pool: &SqlitePool,
    tenant: &TenantId,
    column: &LeadColumn,
    values: &[&[u8]],
    after: Option<LeadId>,
    limit: u32,
) -> Result<Vec<IndexedLead>, Failure> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    // Entries of one value stand in the order of their leads; those of several have to be sorted.
    let query = sqlx::query(match (values, column.is_identity()) {
        ([_], true) => ONE_IDENTITY,
        ([_], false) => ONE_OTHER,
        (_, true) => SOME_IDENTITIES,
        (_, false) => SOME_OTHERS,
    });
    let query = query.bind(tenant.as_str()).bind(column.field()).bind(INDEX);
    let query = match values {
        [value] => query.bind(*value),
        _ => query.bind(hex_list(values)),
    };
    let rows = query.bind(after).bind(limit).fetch_all(pool).await?;
    let found = |row: &SqliteRow| {
        if row.try_get::<Option<String>, _>("id")?.is_none() {
            return Ok(IndexedLead::Nowhere);
        }
        match decode(row) {
            Ok(lead) => Ok(IndexedLead::Found(lead)),
            Err(Failure::Store(StoreError::Malformed(_))) => Ok(IndexedLead::Nowhere),
            Err(failure) => Err(failure),
        }
    };
    rows.iter().map(found).collect()
}

const OWNERS: &str = concat!(
    "SELECT value, lead.id FROM lead_index
    LEFT JOIN lead ON lead.id = lead_index.lead AND lead.tenant = lead_index.tenant
    WHERE ",
    identity!(),
    r#" AND lead_index.tenant = ? AND field = ? AND "index" = ?
    AND value IN (SELECT unhex(value) FROM json_each(?))"#
);

/// Which leads own fingerprints of an identity column.
pub(super) async fn owners(
    pool: &SqlitePool,
    tenant: &TenantId,
    column: &LeadColumn,
    fingerprints: &[&[u8]],
) -> Result<HashMap<Vec<u8>, Owner>, Failure> {
    let rows = sqlx::query(OWNERS)
        .bind(tenant.as_str())
        .bind(column.field())
        .bind(INDEX)
        .bind(hex_list(fingerprints))
        .fetch_all(pool)
        .await?;
    let owner = |row: &SqliteRow| {
        let lead: Option<String> = row.try_get("id")?;
        let lead = lead.as_deref().and_then(LeadId::parse);
        Ok((
            row.try_get("value")?,
            lead.map_or(Owner::Nowhere, Owner::Lead),
        ))
    };
    rows.iter().map(owner).collect()
}

/// As a JSON array for `json_each`, which has no bytes.
fn hex_list(values: &[&[u8]]) -> String {
    let hex =
        |bytes: &&[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let list: Vec<String> = values.iter().map(hex).collect();
    serde_json::json!(list).to_string()
}

fn decode(row: &SqliteRow) -> Result<LeadRecord, Failure> {
    let id: String = row.try_get("id")?;
    let columns = COLUMNS.iter().filter_map(|column| stored(row, column));
    Ok(LeadRecord {
        id: LeadId::parse(&id).ok_or(StoreError::Malformed("lead id"))?,
        sealed: columns.collect(),
        created_at: row.try_get("created_at").ok(),
        updated_at: row.try_get("updated_at").ok(),
    })
}

/// A column that the lead has. A row may hold anything that somebody wrote past this service: what
/// has another type, or lacks one of its parts, is there and has no value.
fn stored(row: &SqliteRow, column: &'static LeadColumn) -> Option<StoredColumn> {
    let name = |suffix| format!("{}_{suffix}", column.name());
    let sealed = row.try_get::<Option<Vec<u8>>, _>(name("enc").as_str());
    let key_id = row.try_get::<Option<u32>, _>(name("key_version").as_str());
    let fingerprint = if column.is_indexed() {
        row.try_get::<Option<Vec<u8>>, _>(name("fp").as_str())
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
