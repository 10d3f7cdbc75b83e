//! Which fields SQLite holds unique, each by an index of its own. That of the identity is always there.

use rusqlite::Connection;

use super::{connection::counted, failure::Failure, notes::Note};
use crate::{
    lead::{LeadColumn, UniqueFields},
    store::UniqueFieldsError,
};

/// Makes the indexes, for processes that all want the same ones.
pub(super) fn hold(
    connection: &Connection,
    fields: &UniqueFields,
) -> Result<Result<(), UniqueFieldsError>, Failure> {
    match compare(held(connection)?, fields) {
        Ok(()) => change(connection, fields),
        differ => Ok(differ),
    }
}

/// Makes the indexes that are missing, drops those that are not wanted any more, and notes which there are.
pub(super) fn change(
    connection: &Connection,
    fields: &UniqueFields,
) -> Result<Result<(), UniqueFieldsError>, Failure> {
    let wanted = || wanted(fields);
    for column in wanted() {
        if has_index(connection, column)? {
            continue;
        }
        let duplicates = duplicates(connection, column)?;
        if duplicates > 0 {
            let field = column.name();
            return Ok(Err(UniqueFieldsError::Shared { field, duplicates }));
        }
    }
    for column in wanted() {
        connection.execute_batch(&format!(
            r#"CREATE UNIQUE INDEX IF NOT EXISTS {} ON lead_index (value, tenant)
            WHERE field = '{}' AND "index" = 'identity'"#,
            name(column),
            column.field(),
        ))?;
    }
    for column in others().filter(|column| !fields.contains(column)) {
        connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", name(column)))?;
    }
    Note::UniqueFields.set(connection, &fields.to_string())?;
    Ok(Ok(()))
}

/// Whether the fields are those that are held, if any are.
pub(super) fn compare(
    held: Option<String>,
    fields: &UniqueFields,
) -> Result<(), UniqueFieldsError> {
    let configured = fields.to_string();
    match held {
        Some(held) if held != configured => Err(UniqueFieldsError::Differ { held, configured }),
        _ => Ok(()),
    }
}

/// What is noted. An earlier version noted nothing, and its indexes say it where there are some.
fn held(connection: &Connection) -> Result<Option<String>, Failure> {
    if let Some(held) = Note::UniqueFields.find(connection)? {
        return Ok(Some(held));
    }
    let mut names = Vec::new();
    for column in others() {
        if has_index(connection, column)? {
            names.push(column.name());
        }
    }
    Ok(of_indexes(names))
}

/// The fields by the names of those that indexes of their own hold, in the order of the columns.
pub(super) fn of_indexes(names: Vec<&'static str>) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let identity = LeadColumn::identity().name();
    let all = [identity].into_iter().chain(names);
    Some(all.collect::<Vec<_>>().join(","))
}

pub(super) fn others() -> impl Iterator<Item = &'static LeadColumn> {
    LeadColumn::searchable().filter(|column| !column.is_identity())
}

/// The columns that an index of their own is to hold unique.
pub(super) fn wanted(fields: &UniqueFields) -> impl Iterator<Item = &'static LeadColumn> {
    others().filter(|column| fields.contains(column))
}

pub(super) fn name(column: &LeadColumn) -> String {
    format!("lead_index_unique_{}", column.name())
}

fn has_index(connection: &Connection, column: &LeadColumn) -> Result<bool, Failure> {
    let select = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?";
    Ok(connection.prepare(select)?.exists([name(column)])?)
}

/// How many values of a field several leads of one tenant have, under whichever version that shows most.
pub(super) const DUPLICATES: &str = r#"SELECT coalesce(max(shared), 0) FROM (
    SELECT count(*) AS shared FROM (
        SELECT version FROM lead_index WHERE field = ? AND "index" = 'identity'
        GROUP BY tenant, version, value HAVING count(DISTINCT lead) > 1)
    GROUP BY version)"#;

fn duplicates(connection: &Connection, column: &LeadColumn) -> Result<u64, Failure> {
    Ok(connection.query_row(DUPLICATES, [column.field()], |row| counted(row, 0))?)
}
