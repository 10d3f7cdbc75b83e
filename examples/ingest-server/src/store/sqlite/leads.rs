//! Leads with their blind-index rows, written inside the group's transaction.

use std::collections::HashMap;

use portcullis_keyring::TenantId;
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{events, failure::Failure, lead_sql};
use crate::{
    lead::{COLUMNS, LeadColumn, LeadId, LeadRecord, StoredColumn, StoredValue},
    store::{IndexedLead, LeadChange, LeadWrite, Owner, Receipt, SealedColumn, StoreError, Write},
    timestamp,
};

/// The one index of this version; equality within a tenant.
const INDEX: &str = "identity";

/// Writes the leads of every write that is still to be stored. A lead that cannot be written
/// leaves nothing behind, its event included.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    group: &[Write],
    receipts: &mut [Option<Receipt>],
) -> Result<(), Failure> {
    for (write, receipt) in group.iter().zip(receipts) {
        let Some(lead) = &write.lead else { continue };
        if *receipt != Some(Receipt::Stored) {
            continue;
        }
        run(tx, "SAVEPOINT lead").await?;
        if !write_lead(tx, &write.tenant, lead).await? {
            run(tx, "ROLLBACK TO lead").await?;
            events::withdraw(tx, write).await?;
            *receipt = Some(Receipt::LostRace);
        }
        run(tx, "RELEASE lead").await?;
    }
    Ok(())
}

async fn run(tx: &mut SqliteConnection, statement: &'static str) -> Result<(), Failure> {
    sqlx::query(statement).execute(tx).await?;
    Ok(())
}

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

/// Selects what values of an index lead to: its tenant, field and name, the values, the lead after which
/// to begin, and how many.
macro_rules! by_index {
    ($values:literal) => {
        concat!(
            r#"SELECT lead.* FROM lead_index
            LEFT JOIN lead ON lead.id = lead_index.lead AND lead.tenant = lead_index.tenant
            WHERE lead_index.tenant = ? AND field = ? AND "index" = ? AND lead_index.value "#,
            $values,
            " AND lead_index.lead > ? ORDER BY lead_index.lead LIMIT ?"
        )
    };
}

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
    let query = match values {
        [_] => sqlx::query(by_index!("= ?")),
        _ => sqlx::query(by_index!("IN (SELECT unhex(value) FROM json_each(?))")),
    };
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

/// Which leads own fingerprints of an identity column.
pub(super) async fn owners(
    pool: &SqlitePool,
    tenant: &TenantId,
    column: &LeadColumn,
    fingerprints: &[&[u8]],
) -> Result<HashMap<Vec<u8>, Owner>, Failure> {
    let statement = r#"SELECT value, lead.id FROM lead_index
        LEFT JOIN lead ON lead.id = lead_index.lead AND lead.tenant = lead_index.tenant
        WHERE lead_index.tenant = ? AND field = ? AND "index" = ?
        AND value IN (SELECT unhex(value) FROM json_each(?))"#;
    let rows = sqlx::query(statement)
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

/// Whether the lead could be written.
async fn write_lead(
    tx: &mut SqliteConnection,
    tenant: &TenantId,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    let id = lead.id.to_string();
    let exists = match lead.change {
        LeadChange::Create => insert(tx, tenant, &id, lead).await?,
        LeadChange::Merge | LeadChange::Update => update(tx, tenant, &id, lead).await?,
    };
    if !exists {
        return Ok(false);
    }
    for column in &lead.columns {
        if !index(tx, tenant, &id, column).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn insert(
    tx: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    let at = timestamp::format(lead.at);
    let done = bind_columns(sqlx::query(lead_sql::INSERT.as_str()), lead)
        .bind(&at)
        .bind(id)
        .bind(tenant.as_str())
        .bind(&at)
        .execute(&mut *tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn update(
    tx: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    let expected = lead.expected_identity.as_deref();
    let done = bind_columns(sqlx::query(lead_sql::UPDATE.as_str()), lead)
        .bind(timestamp::format(lead.at))
        .bind(id)
        .bind(tenant.as_str())
        .bind(expected)
        .bind(expected)
        .execute(&mut *tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds ciphertext, key id and, where a column is indexed, fingerprint, in the order of
/// [`COLUMNS`]; null where the write has no such column.
fn bind_columns<'q>(mut query: Query<'q>, lead: &'q LeadWrite) -> Query<'q> {
    for definition in COLUMNS {
        let column = lead
            .columns
            .iter()
            .find(|column| column.column == definition);
        query = query
            .bind(column.map(|column| column.sealed.as_slice()))
            .bind(column.map(|column| column.key_id.value()));
        if definition.is_indexed() {
            let enforced = column.and_then(|column| column.index.first());
            query = query.bind(enforced.map(|row| row.value.as_slice()));
        }
    }
    query
}

/// Replaces a column's index rows; false if a unique value belongs to another lead.
async fn index(
    tx: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    column: &SealedColumn,
) -> Result<bool, Failure> {
    let field = column.column.field();
    sqlx::query("DELETE FROM lead_index WHERE lead = ? AND field = ?")
        .bind(id)
        .bind(field)
        .execute(&mut *tx)
        .await?;
    for row in &column.index {
        let statement = r#"INSERT INTO lead_index (tenant, field, "index", version, value, lead)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"#;
        let done = sqlx::query(statement)
            .bind(tenant.as_str())
            .bind(field)
            .bind(INDEX)
            .bind(row.version)
            .bind(&row.value)
            .bind(id)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
    }
    Ok(true)
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
