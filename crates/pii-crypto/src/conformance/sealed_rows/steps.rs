//! What the clauses do to a table.

use std::num::NonZeroU32;

use portcullis_keyring::{KeyId, sweep::Cursor};

use super::super::{Clause, TestTable, keys::Keys};
use crate::{
    AnyPii, Sealed,
    reencrypt::{RowChange, RowOutcome, Scope, SealedRow, SealedRows},
};

pub(super) const ROWS: u32 = 7;

pub(super) fn limit(rows: u32) -> NonZeroU32 {
    NonZeroU32::new(rows).expect("not zero")
}

/// Every row of a scope, read in pages.
pub(super) async fn all(
    clause: Clause,
    rows: &dyn SealedRows,
    scope: &Scope,
    of: u32,
) -> Vec<SealedRow> {
    let mut found = Vec::<SealedRow>::new();
    loop {
        let after = found.last().map(|row| row.at.clone());
        let page = rows.page(scope, after.as_ref(), limit(of)).await;
        let page = clause.done("page", page);
        clause.holds(
            page.len() <= of as usize,
            format_args!("{} rows on a page of {of}", page.len()),
        );
        if page.is_empty() {
            return found;
        }
        found.extend(page);
        clause.holds(found.len() < 1_000, "the pages do not end");
    }
}

pub(super) fn cursors(rows: &[SealedRow]) -> Vec<Cursor> {
    rows.iter().map(|row| row.at.clone()).collect()
}

pub(super) async fn count(clause: Clause, rows: &dyn SealedRows, scope: &Scope) -> u64 {
    clause.done("count", rows.count(scope).await)
}

pub(super) fn of_key(key: KeyId) -> Scope {
    Scope::Keys([key].into())
}

/// Stores sealed values in rows `0..rows`.
pub(super) async fn fill(clause: Clause, table: &dyn TestTable, keys: &Keys, rows: u32) {
    for row in 0..rows {
        let value = keys.seal(clause, table, row, keys.text(0)).await;
        let stored = table.store(&keys.tenant, row, &value).await;
        clause.done("store", stored);
    }
}

pub(super) async fn stored(
    clause: Clause,
    table: &dyn TestTable,
    keys: &Keys,
    row: u32,
) -> Option<Sealed<AnyPii>> {
    clause.done("stored", table.stored(&keys.tenant, row).await)
}

/// The row with this number, in a scope.
pub(super) async fn row(
    clause: Clause,
    table: &dyn TestTable,
    scope: &Scope,
    number: u32,
) -> SealedRow {
    let record = table.record(number);
    let is_it = |row: &SealedRow| row.fields.iter().any(|field| field.record == record);
    let rows = all(clause, &*table.rows(), scope, 100).await;
    let found = rows.into_iter().find(is_it);
    found.unwrap_or_else(|| clause.fails(format_args!("row {number} is not in the scope")))
}

/// What a row becomes with a new value in its field.
pub(super) fn change(
    clause: Clause,
    table: &dyn TestTable,
    row: SealedRow,
    value: &Sealed<AnyPii>,
) -> RowChange {
    let (name, _) = table.field();
    let at = row.fields.iter().position(|field| field.field == name);
    let at = at.unwrap_or_else(|| clause.fails("a row lacks its field"));
    RowChange {
        sealed: vec![(at, value.clone())],
        ..RowChange::none(row)
    }
}

pub(super) async fn apply(
    clause: Clause,
    table: &dyn TestTable,
    changes: &[RowChange],
) -> Vec<RowOutcome> {
    clause.done("apply", table.rows().apply(changes).await)
}
