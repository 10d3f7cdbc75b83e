//! Which leads a scope has.

use portcullis_pii_crypto::reencrypt::Scope;
use rusqlite::types::Value;

use super::super::list;
use crate::lead::COLUMNS;

/// A condition on rows of `lead`, and its parameter `?1`.
pub(super) struct Selection {
    pub(super) which: String,
    pub(super) parameter: Value,
}

impl Selection {
    /// None for a scope in which no lead can be.
    pub(super) fn of(scope: &Scope) -> Option<Self> {
        let (which, parameter) = match scope {
            // The sign keeps SQLite from the indexes of keys, which would have to be sorted.
            Scope::Keys(keys) => (
                any(|name| format!("+{name}_key_version IN (SELECT value FROM json_each(?1))")),
                list(keys).into(),
            ),
            Scope::All => (any(|name| format!("{name}_enc IS NOT NULL")), Value::Null),
            Scope::NotIndexed(version) => (
                // Each value has an entry, also where it is too short for a search to find it. By the lead:
                // SQLite takes the index of searches otherwise, and goes over all of a tenant's for each lead.
                joined(COLUMNS.iter().filter_map(|column| {
                    let (name, field, index) = (column.name(), column.field(), column.index()?);
                    Some(format!(
                        r#"{name}_enc IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lead_index
                        INDEXED BY lead_index_by_lead WHERE lead_index.lead = lead.id AND lead_index.tenant = lead.tenant
                        AND field = '{field}' AND "index" = '{index}' AND version = ?1)"#
                    ))
                })),
                i64::from(version.value()).into(),
            ),
            // No column has plaintext.
            _ => return None,
        };
        Some(Self { which, parameter })
    }
}

fn any(condition: impl Fn(&str) -> String) -> String {
    joined(COLUMNS.iter().map(|column| condition(column.name())))
}

fn joined(conditions: impl Iterator<Item = String>) -> String {
    let conditions = conditions.map(|condition| format!("({condition})"));
    conditions.collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use portcullis_pii_crypto::IndexVersion;

    use super::*;
    use crate::store::sqlite::{SqliteStore, connection};

    /// Or a rotation of the index would take the square of a tenant's leads.
    #[tokio::test]
    async fn index_rows_are_looked_for_by_their_lead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        SqliteStore::open(&path).await.unwrap();
        let version = IndexVersion::try_from(2).unwrap();
        let selection = Selection::of(&Scope::NotIndexed(version)).unwrap();
        let connection = connection::open_reading(&path).unwrap();
        let explain = format!(
            "EXPLAIN QUERY PLAN SELECT 1 FROM lead WHERE {}",
            selection.which
        );
        let mut explain = connection.prepare(&explain).unwrap();
        let plan = explain.query_map([selection.parameter], |row| row.get(3));
        let plan: Result<Vec<String>, _> = plan.unwrap().collect();
        let plan = plan.unwrap();
        let looked = plan.iter().filter(|step| step.contains("lead_index"));
        let looked: Vec<&String> = looked.collect();
        assert!(!looked.is_empty(), "{plan:?}");
        for step in looked {
            assert_eq!(
                step,
                "SEARCH lead_index USING INDEX lead_index_by_lead (lead=?)"
            );
        }
    }
}
