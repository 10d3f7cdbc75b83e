//! The blind indexes that leads are found by.

use std::sync::OnceLock;

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{AnyPii, IndexRoots, IndexValue, UniqueIndex};

use super::LeadColumn;

/// The blind indexes of one tenant's leads. The keys of each are derived when the first value asks for
/// them: most requests need one index, or none.
#[derive(Debug)]
pub(crate) struct LeadIndexes {
    roots: IndexRoots,
    tenant: TenantId,
    derived: Vec<(&'static LeadColumn, OnceLock<UniqueIndex>)>,
}

impl LeadIndexes {
    pub(crate) fn of(roots: &IndexRoots, tenant: &TenantId) -> Self {
        Self {
            roots: roots.clone(),
            tenant: tenant.clone(),
            derived: LeadColumn::searchable()
                .map(|column| (column, OnceLock::new()))
                .collect(),
        }
    }

    /// A value's index values, one for each live version, the enforced one first; none for a
    /// column that is not looked up.
    pub(crate) fn values(&self, column: &LeadColumn, value: &AnyPii) -> Vec<IndexValue> {
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

    fn index(&self, column: &LeadColumn) -> Option<&UniqueIndex> {
        let mut indexes = self.derived.iter();
        let (column, index) = indexes.find(|(indexed, _)| *indexed == column)?;
        Some(index.get_or_init(|| self.roots.unique_index(&self.tenant, column.field())))
    }
}
