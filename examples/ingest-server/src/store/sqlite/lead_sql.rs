//! The statements on leads, made once from the table of their columns.

use std::sync::LazyLock;

use crate::lead::{COLUMNS, LeadColumn};

/// Inserts a lead: the values of [`columns`], then `updated_at`, `id`, `tenant` and `created_at`.
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = COLUMNS.iter().flat_map(columns).collect();
    let values = vec!["?"; columns.len()];
    format!(
        "INSERT INTO lead ({}, updated_at, id, tenant, created_at) VALUES ({}, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
        columns.join(", "),
        values.join(", "),
    )
});

/// Replaces the columns that are given: the values of [`columns`], then `updated_at`, `id` and `tenant`.
pub(super) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let names = COLUMNS.iter().flat_map(columns);
    let assignments: Vec<String> = names
        .map(|column| format!("{column} = coalesce(?, {column})"))
        .collect();
    format!(
        "UPDATE lead SET {}, updated_at = ? WHERE id = ? AND tenant = ?",
        assignments.join(", "),
    )
});

/// Whether a lead has a value of an index, under any version: it is written under all that are live.
pub(super) const HAS_VALUE: &str = r#"SELECT 1 FROM lead_index
    WHERE lead = ? AND tenant = ? AND field = ? AND "index" = 'identity' AND value = ?"#;

/// Empties a column of the lead.
pub(super) fn clear(column: &LeadColumn) -> String {
    let nulls = columns(column).map(|column| format!("{column} = NULL"));
    let nulls: Vec<String> = nulls.collect();
    format!("UPDATE lead SET {} WHERE id = ?", nulls.join(", "))
}

/// Whether anything is left of the lead.
pub(super) static HAS_COLUMN: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS
        .iter()
        .map(|column| format!("{}_enc", column.name()));
    let columns: Vec<String> = columns.collect();
    format!(
        "SELECT 1 FROM lead WHERE id = ? AND coalesce({}) IS NOT NULL",
        columns.join(", ")
    )
});

/// What is read of a lead: its id, when it was created and updated, and every column.
static SELECTED: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.iter().flat_map(columns);
    let columns: Vec<String> = columns.map(|column| format!("lead.{column}")).collect();
    format!(
        "lead.id, lead.created_at, lead.updated_at, {}",
        columns.join(", ")
    )
});

/// The lead of an id and a tenant.
pub(super) static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM lead WHERE id = ? AND tenant = ?", *SELECTED));

/// What some values of a column's index lead to: of a tenant, after a lead; then the values. The limit is a
/// literal: the planner looks at the one that is bound, so that SQLite prepares the statement again for each
/// execution, which takes longer than the search.
pub(super) fn select_by_index(column: &LeadColumn, values: usize, limit: u32) -> String {
    // Entries of one value stand in the order of their leads; those of several have to be sorted.
    let values: Vec<String> = (3..3 + values).map(|place| format!("?{place}")).collect();
    format!(
        "SELECT {} {} AND lead_index.lead > ?2 AND value IN ({}) ORDER BY lead_index.lead LIMIT {limit}",
        *SELECTED,
        from_index(column),
        values.join(", "),
    )
}

/// The lead that has a tenant's value of an index: null for one that leads nowhere.
pub(super) fn select_owner(column: &LeadColumn) -> String {
    format!("SELECT lead.id {} AND value = ?2", from_index(column))
}

/// The entries of a column's index of the tenant `?1`, with their leads. Field and index are literals: a
/// partial index compares them, and SQLite would prepare a statement again for each value bound there.
/// What is not the identity has to say so in the words of the index that leaves it out.
fn from_index(column: &LeadColumn) -> String {
    let is =
        |column: &LeadColumn| format!(r#"field = '{}' AND "index" = 'identity'"#, column.field());
    let mut which = is(column);
    if !column.is_identity() {
        which = format!("{which} AND NOT ({})", is(LeadColumn::identity()));
    }
    format!(
        "FROM lead_index
        LEFT JOIN lead ON lead.id = lead_index.lead AND lead.tenant = lead_index.tenant
        WHERE lead_index.tenant = ?1 AND {which}"
    )
}

/// Puts a column's index values of the version `?1` beside the sealed ones, of the leads behind `?2` and up to
/// `?3`. A lead without such a value keeps what it has.
pub(super) fn copy_fingerprint(column: &LeadColumn) -> String {
    let (name, field) = (column.name(), column.field());
    format!(
        r#"UPDATE lead SET {name}_fp = indexed.value FROM lead_index AS indexed
        WHERE lead.id > ?2 AND lead.id <= ?3 AND lead.{name}_enc IS NOT NULL
        AND indexed.lead = lead.id AND indexed.tenant = lead.tenant AND indexed.field = '{field}'
        AND indexed."index" = 'identity' AND indexed.version = ?1 AND {name}_fp IS NOT indexed.value"#
    )
}

/// The SQL columns of one column: ciphertext, id of the data key, and the enforced fingerprint if
/// leads are found by it.
pub(super) fn columns(column: &LeadColumn) -> impl Iterator<Item = String> + use<> {
    let name = column.name();
    let fingerprint = column.is_indexed().then(|| format!("{name}_fp"));
    [format!("{name}_enc"), format!("{name}_key_version")]
        .into_iter()
        .chain(fingerprint)
}
