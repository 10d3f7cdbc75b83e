//! Reading.

use std::collections::BTreeSet;

use portcullis_keyring::{KeyId, sweep::Cursor};

use super::{
    super::{Clause, TestTable, keys::Keys},
    steps::{ROWS, all, count, cursors, fill, limit, of_key, row, stored},
};
use crate::reencrypt::{FieldValue, Scope, SealedRow};

pub(super) async fn pages_are_complete_and_in_one_order(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn a_page_goes_on_behind_rows_that_are_gone(
    clause: Clause,
    table: &dyn TestTable,
) {
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

pub(super) async fn the_rows_of_a_key_are_those_that_need_it(
    clause: Clause,
    table: &dyn TestTable,
) {
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

pub(super) async fn a_field_is_read_as_it_was_sealed(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn cursors_are_kept_by_name(clause: Clause, table: &dyn TestTable) {
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
