//! What every [`SealedRows`] has to do.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc};

use portcullis_keyring::{KeyId, sweep::Cursor};

use super::{Clause, TestTable, clauses, keys::Keys};
use crate::{
    AnyPii, Sealed,
    reencrypt::{FieldValue, RowChange, RowOutcome, Scope, SealedRow, SealedRows},
};

/// Checks a table against the contract of [`SealedRows`]; `make` makes an empty one for each clause.
///
/// # Panics
/// The table breaks the contract, or fails. The message names the clause.
pub async fn sealed_rows(make: impl AsyncFn() -> Arc<dyn TestTable>) {
    clauses! { "SealedRows";
        pages_are_complete_and_in_one_order(&*make().await);
        a_page_goes_on_behind_rows_that_are_gone(&*make().await);
        the_rows_of_a_key_are_those_that_need_it(&*make().await);
        a_field_is_read_as_it_was_sealed(&*make().await);
        a_change_is_written_with_the_keys_it_needs(&*make().await);
        a_change_without_values_keeps_them(&*make().await);
        a_writer_that_came_first_wins(&*make().await);
        outcomes_follow_the_changes(&*make().await);
        a_row_that_is_gone_stays_gone(&*make().await);
        plaintext_gives_way_to_what_is_sealed(&*make().await);
        plaintext_that_was_written_meanwhile_stays(&*make().await);
        a_row_is_indexed_when_its_values_are_written(&*make().await);
        cursors_are_kept_by_name(&*make().await);
    }
}

const ROWS: u32 = 7;

fn limit(rows: u32) -> NonZeroU32 {
    NonZeroU32::new(rows).expect("not zero")
}

/// Every row of a scope, read in pages.
async fn all(clause: Clause, rows: &dyn SealedRows, scope: &Scope, of: u32) -> Vec<SealedRow> {
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

fn cursors(rows: &[SealedRow]) -> Vec<Cursor> {
    rows.iter().map(|row| row.at.clone()).collect()
}

async fn count(clause: Clause, rows: &dyn SealedRows, scope: &Scope) -> u64 {
    clause.done("count", rows.count(scope).await)
}

fn of_key(key: KeyId) -> Scope {
    Scope::Keys([key].into())
}

/// Stores sealed values in rows `0..rows`.
async fn fill(clause: Clause, table: &dyn TestTable, keys: &Keys, rows: u32) {
    for row in 0..rows {
        let value = keys.seal(clause, table, row, keys.text(0)).await;
        let stored = table.store(&keys.tenant, row, &value).await;
        clause.done("store", stored);
    }
}

async fn stored(
    clause: Clause,
    table: &dyn TestTable,
    keys: &Keys,
    row: u32,
) -> Option<Sealed<AnyPii>> {
    clause.done("stored", table.stored(&keys.tenant, row).await)
}

/// The row with this number, in a scope.
async fn row(clause: Clause, table: &dyn TestTable, scope: &Scope, number: u32) -> SealedRow {
    let record = table.record(number);
    let is_it = |row: &SealedRow| row.fields.iter().any(|field| field.record == record);
    let rows = all(clause, &*table.rows(), scope, 100).await;
    let found = rows.into_iter().find(is_it);
    found.unwrap_or_else(|| clause.fails(format_args!("row {number} is not in the scope")))
}

/// What a row becomes with a new value in its field.
fn change(
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

async fn apply(clause: Clause, table: &dyn TestTable, changes: &[RowChange]) -> Vec<RowOutcome> {
    clause.done("apply", table.rows().apply(changes).await)
}

async fn pages_are_complete_and_in_one_order(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    let none = all(clause, &*rows, &Scope::All, 3).await;
    clause.same("rows of an empty table", none.len(), 0_usize);
    fill(clause, table, &keys, ROWS).await;
    let whole = cursors(&all(clause, &*rows, &Scope::All, 100).await);
    let different = BTreeSet::from_iter(&whole).len();
    clause.same("rows", whole.len(), ROWS as usize);
    clause.same("rows that differ", different, ROWS as usize);
    clause.same(
        "count",
        count(clause, &*rows, &Scope::All).await,
        u64::from(ROWS),
    );
    for of in [1, 2, 3, ROWS] {
        let paged = cursors(&all(clause, &*rows, &Scope::All, of).await);
        clause.same(&format!("rows in pages of {of}"), &paged, &whole);
    }
}

async fn a_page_goes_on_behind_rows_that_are_gone(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, ROWS).await;
    let before = all(clause, &*rows, &Scope::All, 100).await;
    let records = (0..ROWS).map(|number| table.record(number));
    let records = Vec::from_iter(records);
    let number = |row: &SealedRow| {
        let record = row.fields.first().map(|field| &field.record);
        let at = records.iter().position(|it| Some(it) == record);
        at.and_then(|at| u32::try_from(at).ok())
            .unwrap_or_else(|| clause.fails("a record is none of those that were stored"))
    };
    clause.done(
        "remove",
        table.remove(&keys.tenant, number(&before[2])).await,
    );
    let after = rows
        .page(&Scope::All, Some(&before[2].at), limit(100))
        .await;
    let after = cursors(&clause.done("page", after));
    clause.same("rows behind it", after, cursors(&before[3..]));
}

async fn the_rows_of_a_key_are_those_that_need_it(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 3).await;
    let old = keys.rotate(clause).await;
    // Row 0 is written again; rows 3 and 4 are new.
    for number in [0, 3, 4] {
        let value = keys.seal(clause, table, number, keys.text(1)).await;
        clause.done("store", table.store(&keys.tenant, number, &value).await);
    }
    let new = keys.rotate(clause).await;
    for (key, expected) in [(old, 2), (new, 3), (KeyId::new(1), 0)] {
        let found = all(clause, &*rows, &of_key(key), 2).await;
        clause.same("rows of a key", found.len(), expected);
        let counted = count(clause, &*rows, &of_key(key)).await;
        clause.same("count", counted, found.len() as u64);
    }
    let both = Scope::Keys([old, new].into());
    clause.same(
        "rows of both",
        all(clause, &*rows, &both, 2).await.len(),
        5_usize,
    );
    clause.same("count of both", count(clause, &*rows, &both).await, 5_u64);
}

async fn a_field_is_read_as_it_was_sealed(clause: Clause, table: &dyn TestTable) {
    let keys = Keys::new(clause, table);
    fill(clause, table, &keys, 2).await;
    let (name, kind) = table.field();
    for number in [0, 1] {
        let row = row(clause, table, &Scope::All, number).await;
        clause.same("tenant", &row.tenant, &keys.tenant);
        let of = row.fields.iter().filter(|field| field.field == name);
        let [field] = *Vec::from_iter(of) else {
            clause.fails("the field is not there once");
        };
        clause.same("record", &field.record, &table.record(number));
        clause.holds(
            field.kind.is_none_or(|it| it == kind),
            "the field is of another kind",
        );
        let expected = stored(clause, table, &keys, number).await;
        let FieldValue::Sealed(value) = &field.value else {
            clause.fails("it is not sealed");
        };
        clause.same("value", Some(value), expected.as_ref());
    }
}

async fn a_change_is_written_with_the_keys_it_needs(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 2).await;
    let old = keys.rotate(clause).await;
    let value = keys.seal(clause, table, 0, keys.text(0)).await;
    let read = row(clause, table, &of_key(old), 0).await;
    let outcomes = apply(clause, table, &[change(clause, table, read, &value)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Written]);
    let now = stored(clause, table, &keys, 0).await;
    clause.same("value", now.as_ref(), Some(&value));
    clause.same(
        "of the old key",
        count(clause, &*rows, &of_key(old)).await,
        1_u64,
    );
    let new = of_key(value.key_id());
    clause.same("of the new key", count(clause, &*rows, &new).await, 1_u64);
}

async fn a_change_without_values_keeps_them(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 1).await;
    let before = stored(clause, table, &keys, 0).await;
    let read = row(clause, table, &Scope::All, 0).await;
    let outcomes = apply(clause, table, &[RowChange::none(read)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Written]);
    let after = stored(clause, table, &keys, 0).await;
    clause.same("value", &after, &before);
    let key = before.map_or(KeyId::new(0), |value| value.key_id());
    clause.same(
        "of its key",
        count(clause, &*rows, &of_key(key)).await,
        1_u64,
    );
}

async fn a_writer_that_came_first_wins(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 1).await;
    let old = keys.rotate(clause).await;
    let read = row(clause, table, &of_key(old), 0).await;
    let swept = keys.seal(clause, table, 0, keys.text(0)).await;
    keys.rotate(clause).await;
    let written = keys.seal(clause, table, 0, keys.text(1)).await;
    clause.done("store", table.store(&keys.tenant, 0, &written).await);
    let outcomes = apply(clause, table, &[change(clause, table, read, &swept)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Changed]);
    let now = stored(clause, table, &keys, 0).await;
    clause.same("value", now.as_ref(), Some(&written));
    for (value, expected) in [(&swept, 0), (&written, 1)] {
        let noted = count(clause, &*rows, &of_key(value.key_id())).await;
        clause.same("rows of a key", noted, expected);
    }
}

async fn outcomes_follow_the_changes(clause: Clause, table: &dyn TestTable) {
    let keys = Keys::new(clause, table);
    fill(clause, table, &keys, 3).await;
    keys.rotate(clause).await;
    let mut changes = Vec::new();
    for number in [2, 0, 1] {
        let read = row(clause, table, &Scope::All, number).await;
        let value = keys.seal(clause, table, number, keys.text(0)).await;
        changes.push(change(clause, table, read, &value));
    }
    let written = keys.seal(clause, table, 0, keys.text(1)).await;
    clause.done("store", table.store(&keys.tenant, 0, &written).await);
    let outcomes = apply(clause, table, &changes).await;
    let expected = [
        RowOutcome::Written,
        RowOutcome::Changed,
        RowOutcome::Written,
    ];
    clause.same("outcomes", outcomes, expected);
    for (number, change) in [(2, &changes[0]), (1, &changes[2])] {
        let now = stored(clause, table, &keys, number).await;
        clause.same("value", now.as_ref(), Some(&change.sealed[0].1));
    }
    clause.same("of none", apply(clause, table, &[]).await.len(), 0_usize);
}

async fn a_row_that_is_gone_stays_gone(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 1).await;
    keys.rotate(clause).await;
    let read = row(clause, table, &Scope::All, 0).await;
    let value = keys.seal(clause, table, 0, keys.text(0)).await;
    clause.done("remove", table.remove(&keys.tenant, 0).await);
    let outcomes = apply(clause, table, &[change(clause, table, read, &value)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Changed]);
    clause.same("value", stored(clause, table, &keys, 0).await, None);
    for scope in [Scope::All, of_key(value.key_id())] {
        clause.same("rows", count(clause, &*rows, &scope).await, 0_u64);
    }
}

/// Tables that never had plaintext have nothing to do.
async fn plaintext_gives_way_to_what_is_sealed(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 1).await;
    let plain = table.store_plain(&keys.tenant, 1, keys.text(1)).await;
    if !clause.done("store_plain", plain) {
        clause.same(
            "rows",
            count(clause, &*rows, &Scope::Plaintext).await,
            0_u64,
        );
        return;
    }
    clause.same(
        "rows",
        count(clause, &*rows, &Scope::Plaintext).await,
        1_u64,
    );
    let read = row(clause, table, &Scope::Plaintext, 1).await;
    let is_plain = |row: &SealedRow, text: &str| {
        row.fields.iter().any(|field| match &field.value {
            // EXPOSE: compared with what the suite stored.
            FieldValue::Plain(value) => value.expose() == text,
            _ => false,
        })
    };
    clause.holds(is_plain(&read, keys.text(1)), "the plaintext is not read");
    let value = keys.seal(clause, table, 1, keys.text(1)).await;
    let outcomes = apply(clause, table, &[change(clause, table, read, &value)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Written]);
    let now = stored(clause, table, &keys, 1).await;
    clause.same("value", now.as_ref(), Some(&value));
    clause.same(
        "rows",
        count(clause, &*rows, &Scope::Plaintext).await,
        0_u64,
    );
    let all = row(clause, table, &Scope::All, 1).await;
    clause.holds(
        !is_plain(&all, keys.text(1)),
        "the plaintext is still there",
    );
}

async fn plaintext_that_was_written_meanwhile_stays(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    let plain = async |text: &str| {
        let stored = table.store_plain(&keys.tenant, 0, text).await;
        clause.done("store_plain", stored)
    };
    if !plain(keys.text(0)).await {
        return;
    }
    let read = row(clause, table, &Scope::Plaintext, 0).await;
    plain(keys.text(1)).await;
    let value = keys.seal(clause, table, 0, keys.text(0)).await;
    let outcomes = apply(clause, table, &[change(clause, table, read, &value)]).await;
    clause.same("outcome", outcomes, [RowOutcome::Changed]);
    clause.same(
        "rows",
        count(clause, &*rows, &Scope::Plaintext).await,
        1_u64,
    );
}

/// Tables without an index have nothing to do.
async fn a_row_is_indexed_when_its_values_are_written(clause: Clause, table: &dyn TestTable) {
    let (keys, rows) = (Keys::new(clause, table), table.rows());
    fill(clause, table, &keys, 2).await;
    let value = keys.value(clause, keys.text(0));
    let writes = rows.index(&keys.tenant, &table.field().0, &value);
    let Some(version) = writes.first().map(|write| write.value.version()) else {
        return;
    };
    let scope = Scope::NotIndexed(version);
    clause.same("rows", count(clause, &*rows, &scope).await, 2_u64);
    let read = row(clause, table, &scope, 0).await;
    for _ in 0..2 {
        let change = RowChange {
            indexed: writes.iter().map(|write| (0, write.clone())).collect(),
            ..RowChange::none(row(clause, table, &Scope::All, 0).await)
        };
        let outcomes = apply(clause, table, &[change]).await;
        clause.same("outcome", outcomes, [RowOutcome::Written]);
    }
    let left = cursors(&all(clause, &*rows, &scope, 100).await);
    clause.same("rows left", left.len(), 1_usize);
    clause.holds(!left.contains(&read.at), "the row is still not indexed");
}

async fn cursors_are_kept_by_name(clause: Clause, table: &dyn TestTable) {
    let rows = table.rows();
    let cursor = async |sweep| clause.done("cursor", rows.cursor(sweep).await);
    let set = async |sweep, text: Option<&str>| {
        let at = text.map(|text| Cursor::new(text.to_owned()));
        let set = rows.set_cursor(sweep, at.as_ref()).await;
        clause.done("set_cursor", set);
    };
    clause.same("at first", cursor("one").await, None);
    let long = "é ".repeat(1_000);
    set("one", Some("a")).await;
    set("two", Some(&long)).await;
    set("one", Some("b c")).await;
    clause.same(
        "one",
        cursor("one").await,
        Some(Cursor::new("b c".to_owned())),
    );
    clause.same("two", cursor("two").await, Some(Cursor::new(long.clone())));
    set("one", None).await;
    set("one", None).await;
    clause.same("at its end", cursor("one").await, None);
    clause.same("two", cursor("two").await, Some(Cursor::new(long)));
}
