//! Leads. Their sealed values stand in columns, bound to the lead's id.

mod apply;
mod select;

use std::num::NonZeroU32;

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii, IndexRoots, IndexValue, Sealed,
    reencrypt::{
        FieldValue, IndexWrite, RowChange, RowError, RowField, RowOutcome, Scope, SealedRow,
        SealedRows,
    },
};
use rusqlite::{Connection, Row, params};

use self::{apply::Change, select::Selection};
use super::{cursors, row_error, tenant};
use crate::{
    lead::{COLUMNS, LeadColumn, LeadIndexes},
    store::{
        StoreError,
        sqlite::{connection::counted, failure::Failure, sweeps::Sweeps},
    },
};

const TABLE: &str = "lead";
/// The index rows of a lead as one text, `lead.email identity 0001AB…,…`; empty where there are none.
const INDEXED: &str = r#", (SELECT coalesce(group_concat(field || ' ' || "index" || ' ' || hex(value)), '')
    FROM lead_index WHERE lead_index.lead = lead.id AND lead_index.tenant = lead.tenant)"#;

/// The leads.
#[derive(Debug)]
pub(super) struct LeadRows {
    sweeps: Sweeps,
    roots: IndexRoots,
}

impl LeadRows {
    pub(super) const fn new(sweeps: Sweeps, roots: IndexRoots) -> Self {
        Self { sweeps, roots }
    }
}

fn count(connection: &Connection, scope: &Scope) -> Result<u64, Failure> {
    let Some(Selection { which, parameter }) = Selection::of(scope) else {
        return Ok(0);
    };
    let count = format!("SELECT count(*) FROM lead WHERE (?1 IS ?1) AND ({which})");
    Ok(connection.query_row(&count, [parameter], |row| counted(row, 0))?)
}

fn page(
    connection: &Connection,
    scope: &Scope,
    after: Option<&Cursor>,
    limit: NonZeroU32,
) -> Result<Vec<SealedRow>, Failure> {
    let Some(Selection { which, parameter }) = Selection::of(scope) else {
        return Ok(Vec::new());
    };
    let columns = COLUMNS.iter().map(|column| {
        let name = column.name();
        format!(", {name}_enc, {name}_key_version")
    });
    // Read with the lead, so that nobody writes either in between; and for who compares them alone.
    let indexed = match scope {
        Scope::All => INDEXED,
        _ => ", NULL",
    };
    // In the order of ids, whatever it looks for: a sweep reads each lead once.
    let select = format!(
        "SELECT id, tenant{}{indexed} FROM lead INDEXED BY sqlite_autoindex_lead_1
         WHERE (?1 IS ?1) AND id > ?2 AND ({which}) ORDER BY id LIMIT ?3",
        columns.collect::<String>(),
    );
    let mut select = connection.prepare_cached(&select)?;
    let after = after.map_or("", Cursor::as_str);
    let mut rows = select.query(params![parameter, after, limit.get()])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(decode(row)?);
    }
    Ok(page)
}

fn decode(row: &Row<'_>) -> Result<SealedRow, Failure> {
    let id: String = row.get(0)?;
    let mut fields = Vec::with_capacity(COLUMNS.len());
    for (at, column) in COLUMNS.iter().enumerate() {
        let (sealed, key) = (row.get(2 + 2 * at), row.get(3 + 2 * at));
        let value = match (sealed, key) {
            (Ok(None::<Vec<u8>>), Ok(None::<u32>)) => continue,
            (Ok(Some(sealed)), Ok(Some(key))) => value(sealed, key),
            _ => FieldValue::Malformed,
        };
        let field = column.field().to_owned();
        fields.push(RowField::new(field, id.clone(), Some(column.kind()), value));
    }
    let indexed: Option<String> = row.get(2 + 2 * COLUMNS.len())?;
    let indexed = indexed
        .map(|text| index_writes(&text, &fields))
        .transpose()?;
    let row = SealedRow::new(tenant(row.get(1)?)?, Cursor::new(id), fields);
    Ok(match indexed {
        Some(indexed) => row.with_indexed(indexed),
        None => row,
    })
}

/// What [`INDEXED`] says, of the fields that the lead has. What stands there for others is nobody's.
fn index_writes(text: &str, fields: &[RowField]) -> Result<Vec<(usize, IndexWrite)>, Failure> {
    let malformed = || Failure::from(StoreError::Malformed("index value"));
    let mut writes = Vec::new();
    for entry in text.split(',').filter(|entry| !entry.is_empty()) {
        let mut parts = entry.split(' ');
        let (Some(field), Some(index), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        let at = fields.iter().position(|it| it.field == field);
        let column = COLUMNS.iter().find(|column| column.field() == field);
        let index = column.and_then(LeadColumn::index).filter(|it| *it == index);
        let (Some(at), Some(index)) = (at, index) else {
            continue;
        };
        let value = bytes(value).and_then(|value| IndexValue::from_stored(&value));
        let value = value.ok_or_else(malformed)?;
        writes.push((at, IndexWrite::new(index, value)));
    }
    Ok(writes)
}

/// Of SQLite's `hex`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// A sealed value that says another key than stands beside it is not what was written.
fn value(sealed: Vec<u8>, key: u32) -> FieldValue {
    match Sealed::from_bytes(sealed) {
        Ok(sealed) if sealed.key_id().value() == key => FieldValue::Sealed(sealed),
        _ => FieldValue::Malformed,
    }
}

#[async_trait]
impl SealedRows for LeadRows {
    fn table(&self) -> &str {
        TABLE
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        let scope = scope.clone();
        let counted = self
            .sweeps
            .read(move |connection| count(connection, &scope));
        counted.await.map_err(row_error(TABLE))
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let (scope, after) = (scope.clone(), after.cloned());
        let read = move |connection: &_| page(connection, &scope, after.as_ref(), limit);
        self.sweeps.read(read).await.map_err(row_error(TABLE))
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let changes: Vec<Change> = changes.iter().map(Change::of).collect();
        let write = move |connection: &_| {
            let changes = changes.iter();
            changes.map(|change| change.apply(connection)).collect()
        };
        self.sweeps.apply(write).await.map_err(row_error(TABLE))
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        let column = COLUMNS.iter().find(|column| column.field() == field);
        let Some((column, index)) = column.and_then(|column| Some((column, column.index()?)))
        else {
            return Vec::new();
        };
        let values = LeadIndexes::of(&self.roots, tenant).values(column, value);
        let values = values.into_iter();
        values.map(|value| IndexWrite::new(index, value)).collect()
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        let sweep = sweep.to_owned();
        let found = move |connection: &_| cursors::find(connection, TABLE, &sweep);
        self.sweeps.read(found).await.map_err(row_error(TABLE))
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        let (sweep, cursor) = (sweep.to_owned(), cursor.cloned());
        let set = move |connection: &_| cursors::set(connection, TABLE, &sweep, cursor.as_ref());
        self.sweeps.write(set).await.map_err(row_error(TABLE))
    }
}
