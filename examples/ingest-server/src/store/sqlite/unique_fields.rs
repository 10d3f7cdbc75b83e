//! Which fields SQLite holds unique, each by an index of its own. That of the identity is always there.

use rusqlite::Connection;

use super::{connection::counted, failure::Failure};
use crate::{
    lead::{LeadColumn, UniqueFields},
    store::NotUnique,
};

/// Makes the indexes that are missing, and drops those that are not wanted any more.
pub(super) fn hold(
    connection: &Connection,
    fields: &UniqueFields,
) -> Result<Result<(), NotUnique>, Failure> {
    let wanted = || wanted(fields);
    for column in wanted() {
        if has_index(connection, column)? {
            continue;
        }
        let duplicates = duplicates(connection, column)?;
        if duplicates > 0 {
            let field = column.name();
            return Ok(Err(NotUnique { field, duplicates }));
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
    Ok(Ok(()))
}

fn others() -> impl Iterator<Item = &'static LeadColumn> {
    LeadColumn::searchable().filter(|column| !column.is_identity())
}

/// The columns that an index of their own is to hold unique.
pub(super) fn wanted(fields: &UniqueFields) -> impl Iterator<Item = &'static LeadColumn> {
    others().filter(|column| fields.contains(column))
}

fn name(column: &LeadColumn) -> String {
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
