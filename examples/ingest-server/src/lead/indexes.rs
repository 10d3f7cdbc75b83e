//! The blind indexes that leads are found by.

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{AnyPii, IndexRoots, IndexValue, UniqueIndex};

use super::LeadColumn;

/// The blind indexes of one tenant's leads, with their keys derived.
#[derive(Debug)]
pub(crate) struct LeadIndexes(Vec<(&'static LeadColumn, UniqueIndex)>);

impl LeadIndexes {
    pub(crate) fn derive(roots: &IndexRoots, tenant: &TenantId) -> Self {
        let derive =
            |column: &'static LeadColumn| (column, roots.unique_index(tenant, column.field()));
        Self(LeadColumn::searchable().map(derive).collect())
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
    /// earlier versions wrote it.
    pub(crate) fn looked_up(&self, column: &LeadColumn, value: &AnyPii) -> Vec<IndexValue> {
        let current = self.values(column, value).into_iter().next();
        let Some(current) = current else {
            return Vec::new();
        };
        let mut looked_up = self.former_values(column, value);
        looked_up.retain(|former| former.version() == current.version());
        looked_up.insert(0, current);
        looked_up
    }

    fn index(&self, column: &LeadColumn) -> Option<&UniqueIndex> {
        let found = self.0.iter().find(|(indexed, _)| *indexed == column);
        found.map(|(_, index)| index)
    }
}
