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

/// Replaces the columns that are given: the values of [`columns`], then `updated_at`, `id`,
/// `tenant`, and the fingerprint that the lead has to have, or null.
pub(super) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let names = COLUMNS.iter().flat_map(columns);
    let assignments: Vec<String> = names
        .map(|column| format!("{column} = coalesce(?, {column})"))
        .collect();
    // The last parameter is numbered, because it stands there twice.
    let expected = COLUMNS.iter().flat_map(columns).count() + 4;
    format!(
        "UPDATE lead SET {}, updated_at = ? WHERE id = ? AND tenant = ? \
         AND (?{expected} IS NULL OR {}_fp = ?{expected})",
        assignments.join(", "),
        LeadColumn::identity().name(),
    )
});

/// The SQL columns of one column: ciphertext, id of the data key, and the enforced fingerprint if
/// leads are found by it.
pub(super) fn columns(column: &LeadColumn) -> impl Iterator<Item = String> + use<> {
    let name = column.name();
    let fingerprint = column.is_indexed().then(|| format!("{name}_fp"));
    [format!("{name}_enc"), format!("{name}_key_version")]
        .into_iter()
        .chain(fingerprint)
}
