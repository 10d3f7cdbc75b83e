//! The blind indexes that leads are found by.

use std::sync::OnceLock;

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{
    AcceptLeak, AnyPii, IndexRoots, IndexValue, TrigramIndex, TrigramQuery, UniqueIndex,
};

use zeroize::Zeroizing;

use super::LeadColumn;

/// The blind indexes of one tenant's leads. The keys of each are derived when the first value asks for
/// them: most requests need one index, or none.
#[derive(Debug)]
pub(crate) struct LeadIndexes {
    roots: IndexRoots,
    tenant: TenantId,
    derived: Vec<(&'static LeadColumn, OnceLock<UniqueIndex>)>,
    parts: Vec<(&'static LeadColumn, OnceLock<TrigramIndex>)>,
}

/// What a value ends in that is too short for an index of its parts, so that each value has an entry there:
/// whoever goes over leads sees by the entries which of them were indexed.
const PADDING: &str = "xxx";

impl LeadIndexes {
    pub(crate) fn of(roots: &IndexRoots, tenant: &TenantId) -> Self {
        Self {
            roots: roots.clone(),
            tenant: tenant.clone(),
            derived: LeadColumn::searchable()
                .map(|column| (column, OnceLock::new()))
                .collect(),
            parts: LeadColumn::found_by_part()
                .map(|column| (column, OnceLock::new()))
                .collect(),
        }
    }

    /// A value's index values: one for each live version, the enforced one first, or where a part of it is
    /// looked up one for each three letters in a row; none for a column that is not looked up.
    pub(crate) fn values(&self, column: &LeadColumn, value: &AnyPii) -> Vec<IndexValue> {
        if let Some(parts) = self.parts(column) {
            let values = parts.values_any(value);
            return if values.is_empty() {
                padded(value).map_or_else(Vec::new, |value| parts.values_any(&value))
            } else {
                values
            };
        }
        let values = self.index(column).and_then(|index| value.index(index));
        values.unwrap_or_default()
    }

    /// A value's index values under the forms that earlier versions gave it, to find what they wrote:
    /// one for each form and live version. Most values have none.
    pub(crate) fn former_values(&self, column: &LeadColumn, value: &AnyPii) -> Vec<IndexValue> {
        let index = self.index(column);
        index.map_or_else(Vec::new, |index| value.former_index(index))
    }

    /// What a value is looked up by, under the enforced version: as it is written first, then as
    /// earlier versions wrote it. `values` are those that are written.
    pub(crate) fn looked_up(
        &self,
        column: &LeadColumn,
        value: &AnyPii,
        values: &[IndexValue],
    ) -> Vec<IndexValue> {
        let Some(current) = values.first() else {
            return Vec::new();
        };
        let mut looked_up = self.former_values(column, value);
        looked_up.retain(|former| former.version() == current.version());
        looked_up.insert(0, current.clone());
        looked_up
    }

    /// The values that each lead has whose value in a column has this part in it, and others too.
    pub(crate) fn wanted(&self, column: &LeadColumn, part: &TrigramQuery) -> Vec<IndexValue> {
        let parts = self.parts(column);
        parts.map_or_else(Vec::new, |parts| parts.wanted(part))
    }

    fn parts(&self, column: &LeadColumn) -> Option<&TrigramIndex> {
        let mut indexes = self.parts.iter();
        let (column, index) = indexes.find(|(indexed, _)| *indexed == column)?;
        // Searching for a part of a name is a feature of the service; its README says what it tells.
        let accept = AcceptLeak::NameEquality;
        let derive = || {
            self.roots
                .trigram_index(&self.tenant, column.field(), accept)
        };
        Some(index.get_or_init(derive))
    }

    fn index(&self, column: &LeadColumn) -> Option<&UniqueIndex> {
        let mut indexes = self.derived.iter();
        let (column, index) = indexes.find(|(indexed, _)| *indexed == column)?;
        Some(index.get_or_init(|| self.roots.unique_index(&self.tenant, column.field())))
    }
}

fn padded(value: &AnyPii) -> Option<AnyPii> {
    // EXPOSE: indexed in place of the value, and wiped.
    let text = Zeroizing::new(format!("{}{PADDING}", value.expose()));
    value.kind().parse(&text).ok()
}
