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
        let found = self.0.iter().find(|(indexed, _)| *indexed == column);
        let values = found.and_then(|(_, index)| value.index(index));
        values.unwrap_or_default()
    }
}
