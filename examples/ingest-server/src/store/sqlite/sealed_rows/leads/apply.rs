//! Writes what a lead becomes, if it still is what was read.

use portcullis_pii_crypto::reencrypt::{FieldValue, RowChange, RowOutcome};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    lead::{COLUMNS, LeadColumn},
    store::{
        StoreError,
        sqlite::{connection::run, failure::Failure},
    },
};

/// A change as the connection's thread takes it.
pub(super) struct Change {
    lead: String,
    tenant: String,
    /// The columns that were read, and what each had; none where that was no sealed value.
    read: Vec<(Option<&'static LeadColumn>, Option<Vec<u8>>)>,
    /// New values, by the number of their field, and their keys.
    sealed: Vec<(usize, Vec<u8>, u32)>,
    /// Index values, by the number of their field: index, version, value.
    indexed: Vec<(usize, &'static str, u16, Vec<u8>)>,
}

impl Change {
    pub(super) fn of(change: &RowChange) -> Self {
        let read = change.row.fields.iter().map(|field| {
            let mut columns = COLUMNS.iter();
            let column = columns.find(|column| column.field() == field.field);
            let sealed = match &field.value {
                FieldValue::Sealed(sealed) => Some(sealed.as_bytes().to_vec()),
                _ => None,
            };
            (column, sealed)
        });
        let sealed = change.sealed.iter();
        let indexed = change.indexed.iter();
        Self {
            lead: change.row.at.as_str().to_owned(),
            tenant: change.row.tenant.as_str().to_owned(),
            read: read.collect(),
            sealed: sealed
                .map(|(at, it)| (*at, it.as_bytes().to_vec(), it.key_id().value()))
                .collect(),
            indexed: indexed
                .map(|(at, it)| {
                    let (version, value) = (it.value.version(), it.value.as_bytes());
                    (*at, it.index, version.value(), value.to_vec())
                })
                .collect(),
        }
    }

    /// One that is not written leaves nothing behind.
    pub(super) fn apply(&self, connection: &Connection) -> Result<RowOutcome, Failure> {
        if !self.is_as_read(connection)? {
            return Ok(RowOutcome::Changed);
        }
        run(connection, "SAVEPOINT lead")?;
        let outcome = match self.write(connection) {
            Ok(true) => RowOutcome::Written,
            Ok(false) => RowOutcome::Duplicate,
            Err(failure) if failure.is_refusal() => RowOutcome::Refused,
            Err(failure) => return Err(failure),
        };
        if outcome != RowOutcome::Written {
            run(connection, "ROLLBACK TO lead")?;
        }
        run(connection, "RELEASE lead")?;
        Ok(outcome)
    }

    fn is_as_read(&self, connection: &Connection) -> Result<bool, Failure> {
        for (column, read) in &self.read {
            // What could not be read is left as it is, and so is the row.
            let (Some(column), Some(read)) = (column, read) else {
                return Ok(false);
            };
            let name = column.name();
            let select = format!("SELECT {name}_enc FROM lead WHERE id = ? AND tenant = ?");
            let mut select = connection.prepare_cached(&select)?;
            let stored = select.query_row([&self.lead, &self.tenant], |row| row.get(0));
            let stored: Option<Option<Vec<u8>>> = stored.optional()?;
            if stored.flatten().as_ref() != Some(read) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// False if a value that only one lead may have is another's.
    fn write(&self, connection: &Connection) -> Result<bool, Failure> {
        for (at, sealed, key) in &self.sealed {
            let name = self.column(*at)?.name();
            let update =
                format!("UPDATE lead SET {name}_enc = ?, {name}_key_version = ? WHERE id = ?");
            let mut update = connection.prepare_cached(&update)?;
            update.execute(params![sealed, key, self.lead])?;
        }
        for (at, index, version, value) in &self.indexed {
            let field = self.column(*at)?.field();
            let is_there = r#"SELECT 1 FROM lead_index WHERE lead = ? AND field = ? AND "index" = ?
                AND value = ?"#;
            let mut is_there = connection.prepare_cached(is_there)?;
            if is_there.exists(params![self.lead, field, index, value])? {
                continue;
            }
            let insert = r#"INSERT INTO lead_index (tenant, field, "index", version, value, lead)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"#;
            let mut insert = connection.prepare_cached(insert)?;
            let row = params![self.tenant, field, index, version, value, self.lead];
            if insert.execute(row)? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn column(&self, at: usize) -> Result<&'static LeadColumn, Failure> {
        let column = self.read.get(at).and_then(|(column, _)| *column);
        column.ok_or_else(|| StoreError::Malformed("change").into())
    }
}
