//! Events. Their sealed values stand in the payload, bound to the event's source and id.

use std::num::NonZeroU32;

use async_trait::async_trait;
use portcullis_keyring::{KeyId, sweep::Cursor};
use portcullis_pii_crypto::reencrypt::{
    FieldValue, RowChange, RowError, RowField, RowOutcome, Scope, SealedRow, SealedRows,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use super::{cursors, list, payload, row_error, tenant};
use crate::store::{
    StoreError,
    sqlite::{
        connection::{counted, run},
        failure::Failure,
        sealed_refs,
        sweeps::Sweeps,
    },
};

const TABLE: &str = "event";

/// The events that hold sealed values.
#[derive(Debug)]
pub(super) struct EventRows {
    sweeps: Sweeps,
}

impl EventRows {
    pub(super) const fn new(sweeps: Sweeps) -> Self {
        Self { sweeps }
    }
}

/// Which events a scope has, of those behind `?1`, and a parameter `?2` of that. References are in the order
/// of events, so that one sweep reads each of them once.
fn numbers(scope: &Scope) -> Option<(&'static str, String)> {
    match scope {
        Scope::Keys(keys) => Some((
            "SELECT DISTINCT n FROM event_sealed_ref
             WHERE n > ?1 AND +key_id IN (SELECT value FROM json_each(?2)) ORDER BY n",
            list(keys),
        )),
        Scope::All => Some((
            "SELECT n FROM event WHERE n > ?1 AND has_sealed = 1 AND ?2 = '' ORDER BY n",
            String::new(),
        )),
        // No column has plaintext, and no event is found by what it holds.
        _ => None,
    }
}

fn count(connection: &Connection, scope: &Scope) -> Result<u64, Failure> {
    let Some((numbers, parameter)) = numbers(scope) else {
        return Ok(0);
    };
    let count = format!("SELECT count(*) FROM ({numbers})");
    Ok(connection.query_row(&count, params![-1, parameter], |row| counted(row, 0))?)
}

fn page(
    connection: &Connection,
    scope: &Scope,
    after: Option<&Cursor>,
    limit: NonZeroU32,
) -> Result<Vec<SealedRow>, Failure> {
    let Some((numbers, parameter)) = numbers(scope) else {
        return Ok(Vec::new());
    };
    let select = format!(
        "SELECT n, tenant, source, id, type, payload FROM event
         WHERE n IN ({numbers} LIMIT ?3) ORDER BY n"
    );
    let mut select = connection.prepare_cached(&select)?;
    let after = after.map_or(Ok(-1), number)?;
    let mut rows = select.query(params![after, parameter, limit.get()])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(decode(row)?);
    }
    Ok(page)
}

fn decode(row: &Row<'_>) -> Result<SealedRow, Failure> {
    let n: i64 = row.get(0)?;
    let (source, id, event_type): (String, String, String) =
        (row.get(2)?, row.get(3)?, row.get(4)?);
    let record = format!("{source} {id}");
    let field = |pointer: &str| format!("event.{event_type}{pointer}");
    let text: String = row.get(5)?;
    let fields = match payload::read(&text) {
        Ok(payload) => {
            let sealed = payload::sealed_texts(&payload).into_iter();
            let fields = sealed.map(|(pointer, sealed)| {
                let value = FieldValue::Sealed(sealed);
                RowField::new(field(&pointer), record.clone(), None, value)
            });
            fields.collect()
        }
        Err(_) => vec![RowField::new(
            field(""),
            record,
            None,
            FieldValue::Malformed,
        )],
    };
    Ok(SealedRow::new(
        tenant(row.get(1)?)?,
        Cursor::new(n.to_string()),
        fields,
    ))
}

/// A change as the connection's thread takes it.
struct Change {
    n: i64,
    /// The fields that were read, and the text that each had.
    read: Vec<(String, Option<String>)>,
    /// New texts, by the number of their field, and their keys.
    sealed: Vec<(usize, String, KeyId)>,
}

impl Change {
    fn of(change: &RowChange) -> Result<Self, Failure> {
        let text = |field: &RowField| match &field.value {
            FieldValue::Sealed(sealed) => Some(sealed.to_text()),
            _ => None,
        };
        let read = change.row.fields.iter();
        let sealed = change.sealed.iter();
        Ok(Self {
            n: number(&change.row.at)?,
            read: read
                .map(|field| (field.field.clone(), text(field)))
                .collect(),
            sealed: sealed
                .map(|(at, sealed)| (*at, sealed.to_text(), sealed.key_id()))
                .collect(),
        })
    }
}

/// One that the database refuses leaves the others as they are.
fn apply(connection: &Connection, change: &Change) -> Result<RowOutcome, Failure> {
    run(connection, "SAVEPOINT event")?;
    let outcome = match write(connection, change) {
        Err(failure) if failure.is_refusal() => {
            run(connection, "ROLLBACK TO event")?;
            RowOutcome::Refused
        }
        outcome => outcome?,
    };
    run(connection, "RELEASE event")?;
    Ok(outcome)
}

fn write(connection: &Connection, change: &Change) -> Result<RowOutcome, Failure> {
    let mut select = connection.prepare_cached("SELECT type, payload FROM event WHERE n = ?")?;
    let stored = select.query_row([change.n], |row| Ok((row.get(0)?, row.get(1)?)));
    let stored: Option<(String, String)> = stored.optional()?;
    let Some((event_type, text)) = stored else {
        return Ok(RowOutcome::Changed);
    };
    let Ok(mut payload) = payload::read(&text) else {
        return Ok(RowOutcome::Changed);
    };
    let field = format!("event.{event_type}");
    let mut pointers = Vec::with_capacity(change.read.len());
    for (name, read) in &change.read {
        let pointer = name.strip_prefix(&field);
        let stands = pointer.and_then(|pointer| payload.pointer(pointer)?.as_str());
        match (pointer, read) {
            (Some(pointer), Some(read)) if stands == Some(read) => pointers.push(pointer),
            _ => return Ok(RowOutcome::Changed),
        }
    }
    for (at, sealed, _) in &change.sealed {
        let place = pointers.get(*at).and_then(|at| payload.pointer_mut(at));
        *place.ok_or(StoreError::Malformed("change"))? = Value::String(sealed.clone());
    }
    let update = "UPDATE event SET payload = ? WHERE n = ?";
    let mut update = connection.prepare_cached(update)?;
    update.execute(params![payload.to_string(), change.n])?;
    let new = change.sealed.iter().map(|(.., key)| *key).collect();
    reference_again(connection, change.n, new, &payload)?;
    Ok(RowOutcome::Written)
}

/// Of the keys that sealed texts name, those that the event needed, and those of the new values: others are
/// in texts that a client made up.
fn reference_again(
    connection: &Connection,
    n: i64,
    new: Vec<KeyId>,
    payload: &Value,
) -> Result<(), Failure> {
    let mut ours = sealed_refs::of_event(connection, n)?;
    ours.extend(new);
    let sealed = payload::sealed_texts(payload).into_iter();
    let mut keys: Vec<KeyId> = sealed.map(|(_, sealed)| sealed.key_id()).collect();
    keys.retain(|key| ours.contains(key));
    keys.sort_unstable();
    keys.dedup();
    sealed_refs::replace(connection, n, &keys)
}

fn number(cursor: &Cursor) -> Result<i64, Failure> {
    let number: Result<i64, _> = cursor.as_str().parse();
    number.map_err(|_| StoreError::Malformed("cursor").into())
}

#[async_trait]
impl SealedRows for EventRows {
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
        let changes: Result<Vec<Change>, Failure> = changes.iter().map(Change::of).collect();
        let changes = changes.map_err(|failure| row_error(TABLE)(failure.into()))?;
        let write = move |connection: &_| {
            let changes = changes.iter();
            changes.map(|change| apply(connection, change)).collect()
        };
        self.sweeps.apply(write).await.map_err(row_error(TABLE))
    }

    fn is_indexed(&self) -> bool {
        false
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
