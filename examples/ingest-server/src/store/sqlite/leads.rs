//! Leads with their blind-index rows, written inside the group's transaction.

use portcullis_keyring::TenantId;
use rusqlite::{Connection, params};
use uuid::fmt::Hyphenated;

use super::{connection::run, erasure, failure::Failure, lead_sql, shredding};
use crate::{
    lead::{COLUMNS, LeadColumn},
    store::{LeadChange, LeadWrite, SealedColumn},
    timestamp,
};

const INSERT_INDEX: &str = r#"INSERT INTO lead_index
    (tenant, field, "index", version, value, lead) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"#;

const DELETE_INDEX: &str = "DELETE FROM lead_index WHERE lead = ? AND field = ?";

/// Whether the lead could be written. One that could not leaves nothing behind.
pub(super) fn write(
    connection: &Connection,
    tenant: &TenantId,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    let mut id = [0; Hyphenated::LENGTH];
    let id = lead.id.text(&mut id);
    match lead.change {
        LeadChange::Create => create(connection, tenant, id, lead),
        LeadChange::Merge | LeadChange::Update => update(connection, tenant, id, lead),
        LeadChange::Erase => erasure::erase_lead(connection, tenant, lead.id),
        LeadChange::Discard => erasure::delete_lead(connection, tenant, lead.id),
    }
}

/// A lead that is new has nothing to take the place of. What another has of it is its id or its e-mail.
fn create(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    if !insert(connection, tenant, id, lead)? {
        return Ok(false);
    }
    for column in &lead.columns {
        if !insert_index(connection, tenant, id, column)? {
            withdraw(connection, id)?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn update(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    run(connection, "SAVEPOINT lead")?;
    let written = replace(connection, tenant, id, lead)?;
    if !written {
        run(connection, "ROLLBACK TO lead")?;
    }
    run(connection, "RELEASE lead")?;
    Ok(written)
}

/// Replaces the given columns and their index rows; false if the lead is another by now, if a unique
/// value belongs to another, or if nothing would be left.
fn replace(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    if let Some(expected) = &lead.expected {
        let mut has_value = connection.prepare_cached(lead_sql::HAS_VALUE)?;
        let field = expected.column.field();
        if !has_value.exists(params![id, tenant.as_str(), field, expected.value])? {
            return Ok(false);
        }
    }
    let mut update = connection.prepare_cached(&lead_sql::UPDATE)?;
    let at = timestamp::Text::of(lead.at);
    let next = bind_columns(&mut update, lead)?;
    update.raw_bind_parameter(next, at.as_str())?;
    update.raw_bind_parameter(next + 1, id)?;
    update.raw_bind_parameter(next + 2, tenant.as_str())?;
    if update.raw_execute()? == 0 {
        return Ok(false);
    }
    let mut delete = connection.prepare_cached(DELETE_INDEX)?;
    for column in lead.columns.iter().filter(|it| it.column.index().is_some()) {
        delete.execute([id, column.column.field()])?;
        if !insert_index(connection, tenant, id, column)? {
            return Ok(false);
        }
    }
    clear(connection, id, &lead.cleared)
}

/// Clears columns and their index rows; false if that leaves nothing.
fn clear(
    connection: &Connection,
    id: &str,
    columns: &[&'static LeadColumn],
) -> Result<bool, Failure> {
    if columns.is_empty() {
        return Ok(true);
    }
    shredding::owe(connection)?;
    let mut delete = connection.prepare_cached(DELETE_INDEX)?;
    for column in columns {
        connection
            .prepare_cached(&lead_sql::clear(column))?
            .execute([id])?;
        delete.execute([id, column.field()])?;
    }
    let mut has_column = connection.prepare_cached(&lead_sql::HAS_COLUMN)?;
    Ok(has_column.exists([id])?)
}

fn insert(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    lead: &LeadWrite,
) -> Result<bool, Failure> {
    let mut insert = connection.prepare_cached(&lead_sql::INSERT)?;
    let at = timestamp::Text::of(lead.at);
    let next = bind_columns(&mut insert, lead)?;
    insert.raw_bind_parameter(next, at.as_str())?;
    insert.raw_bind_parameter(next + 1, id)?;
    insert.raw_bind_parameter(next + 2, tenant.as_str())?;
    insert.raw_bind_parameter(next + 3, at.as_str())?;
    Ok(insert.raw_execute()? == 1)
}

/// Takes back a lead that was inserted and whose e-mail belongs to another.
fn withdraw(connection: &Connection, id: &str) -> Result<(), Failure> {
    for statement in [
        "DELETE FROM lead WHERE id = ?",
        "DELETE FROM lead_index WHERE lead = ?",
    ] {
        connection.prepare_cached(statement)?.execute([id])?;
    }
    Ok(())
}

/// Binds ciphertext, key id and, where a column is indexed, fingerprint, in the order of
/// [`COLUMNS`]; null where the write has no such column. Gives the place of the next parameter.
fn bind_columns(
    statement: &mut rusqlite::Statement<'_>,
    lead: &LeadWrite,
) -> Result<usize, Failure> {
    let mut next = 1;
    for definition in COLUMNS {
        let column = lead.columns.iter().find(|it| it.column == definition);
        statement.raw_bind_parameter(next, column.map(|it| it.sealed.as_slice()))?;
        statement.raw_bind_parameter(next + 1, column.map(|it| it.key_id.value()))?;
        next += 2;
        if definition.is_indexed() {
            let enforced = column.and_then(|it| it.index.first());
            statement.raw_bind_parameter(next, enforced.map(|it| it.value.as_slice()))?;
            next += 1;
        }
    }
    Ok(next)
}

/// Inserts a column's index rows; false if a unique value belongs to another lead.
fn insert_index(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    column: &SealedColumn,
) -> Result<bool, Failure> {
    let mut insert = connection.prepare_cached(INSERT_INDEX)?;
    let Some(index) = column.column.index() else {
        return Ok(true);
    };
    let field = column.column.field();
    for row in &column.index {
        let row = params![tenant.as_str(), field, index, row.version, row.value, id];
        let inserted = insert.execute(row)?;
        if inserted == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
