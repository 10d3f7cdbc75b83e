//! Personal data of any declared kind, between validation and sealing.

use portcullis_keyring::{KeyId, Purpose, TenantId};
use portcullis_pii_crypto::{
    AnyPii, Cipher, Email, IndexRoots, NationalId, PersonName, PhoneNumber, PiiKind, PostalAddress,
    SealError, UniqueIndex,
};

use crate::store::{IndexRow, LeadColumn};

/// A parsed value.
#[derive(Debug)]
pub(crate) struct PersonalValue(AnyPii);

/// A sealed value, and the data key that opens it.
#[derive(Debug)]
pub(crate) struct SealedValue {
    pub(crate) key_id: KeyId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
}

/// The kind that each column of a lead takes.
const COLUMNS: [(LeadColumn, PiiKind); 5] = [
    (LeadColumn::Email, PiiKind::indexed::<Email>()),
    (LeadColumn::Phone, PiiKind::indexed::<PhoneNumber>()),
    (LeadColumn::NationalId, PiiKind::indexed::<NationalId>()),
    (LeadColumn::Name, PiiKind::of::<PersonName>()),
    (LeadColumn::Address, PiiKind::of::<PostalAddress>()),
];

/// The kind of personal data in a lead's column.
pub(crate) fn kind_of(column: LeadColumn) -> PiiKind {
    let found = COLUMNS.into_iter().find(|(known, _)| *known == column);
    found.expect("the table has every column").1
}

impl PersonalValue {
    /// Reads a value of the declared kind, or says what it should have been.
    pub(crate) fn parse(kind: PiiKind, text: &str) -> Result<Self, &'static str> {
        kind.parse(text).map(Self).map_err(|_| kind.expected())
    }

    /// What the data key that seals it is for.
    pub(crate) fn purpose(&self) -> Purpose {
        self.0.kind().purpose()
    }

    /// The lead column that takes this kind.
    pub(crate) fn column(&self) -> Option<LeadColumn> {
        let kind = self.0.kind();
        let found = COLUMNS.into_iter().find(|(_, taken)| *taken == kind);
        found.map(|(column, _)| column)
    }

    /// Seals it for one field of one record.
    pub(crate) fn seal(
        &self,
        cipher: &Cipher,
        field: &str,
        record: &str,
    ) -> Result<SealedValue, SealError> {
        let sealed = self.0.seal(cipher, field, record)?;
        Ok(SealedValue {
            key_id: sealed.key_id(),
            text: sealed.to_string(),
            bytes: sealed.into_bytes(),
        })
    }
}

/// The blind indexes of one tenant's leads, with their keys derived.
#[derive(Debug)]
pub(crate) struct LeadIndexes(Vec<(PiiKind, UniqueIndex)>);

impl LeadIndexes {
    pub(crate) fn derive(roots: &IndexRoots, tenant: &TenantId) -> Self {
        let indexed = COLUMNS.into_iter().filter(|(_, kind)| kind.is_indexed());
        let derive = |(column, kind): (LeadColumn, PiiKind)| {
            (kind, roots.unique_index(tenant, column.field()))
        };
        Self(indexed.map(derive).collect())
    }

    /// A value's index rows, one for each live version, the enforced one first; none for a kind
    /// that is not looked up.
    pub(crate) fn rows(&self, PersonalValue(value): &PersonalValue) -> Vec<IndexRow> {
        let index = self.0.iter().find(|(kind, _)| *kind == value.kind());
        let values = index.and_then(|(_, index)| value.index(index));
        let values = values.into_iter().flatten();
        values.map(IndexRow::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_kind_that_is_looked_up_where_the_column_is() {
        for column in LeadColumn::ALL {
            assert_eq!(kind_of(column).is_indexed(), column.is_indexed());
        }
    }
}
