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
/// `tenant`, and twice the fingerprint that the lead has to have, or null.
pub(super) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.iter().flat_map(columns);
    let assignments: Vec<String> = columns
        .map(|column| format!("{column} = coalesce(?, {column})"))
        .collect();
    format!(
        "UPDATE lead SET {}, updated_at = ? WHERE id = ? AND tenant = ? AND (? IS NULL OR {}_fp = ?)",
        assignments.join(", "),
        LeadColumn::identity().name(),
    )
});

/// Selects the key references of the leads whose ids are the JSON array `?2`.
pub(super) static SELECT_REFS: LazyLock<String> = LazyLock::new(|| {
    let select = |column: &LeadColumn| {
        let key = format!("{}_key_version", column.name());
        format!(
            "SELECT {key}, 'lead', id FROM lead \
             WHERE {key} IS NOT NULL AND id IN (SELECT value FROM json_each(?2))"
        )
    };
    let selects: Vec<String> = COLUMNS.iter().map(select).collect();
    selects.join(" UNION ")
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
