//! Writing.

use portcullis_keyring::KeyId;

use super::{
    super::{Clause, TestTable, keys::Keys},
    steps::{all, apply, change, count, cursors, fill, of_key, row, stored},
};
use crate::reencrypt::{FieldValue, RowChange, RowOutcome, Scope, SealedRow};

pub(super) async fn a_change_is_written_with_the_keys_it_needs(
    clause: Clause,
    table: &dyn TestTable,
) {
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

pub(super) async fn a_change_without_values_keeps_them(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn a_writer_that_came_first_wins(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn outcomes_follow_the_changes(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn a_row_that_is_gone_stays_gone(clause: Clause, table: &dyn TestTable) {
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
pub(super) async fn plaintext_gives_way_to_what_is_sealed(clause: Clause, table: &dyn TestTable) {
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

pub(super) async fn plaintext_that_was_written_meanwhile_stays(
    clause: Clause,
    table: &dyn TestTable,
) {
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
pub(super) async fn a_row_is_indexed_when_its_values_are_written(
    clause: Clause,
    table: &dyn TestTable,
) {
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
