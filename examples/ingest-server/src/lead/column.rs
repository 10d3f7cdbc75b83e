//! The columns of a lead: the one table from which SQL, body schema and look-ups are made.

use portcullis_audit_log::event::Field;
use portcullis_pii_crypto::{Email, NationalId, PersonName, PhoneNumber, PiiKind, PostalAddress};

/// A personal-data column of a lead. A new one is a line of [`COLUMNS`] and a migration that adds
/// `<name>_enc`, `<name>_key_version` and, where it is looked up, `<name>_fp`; and the member in the
/// schemas of `lead.created` and `lead.updated`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeadColumn {
    name: &'static str,
    field: &'static str,
    kind: PiiKind,
    lookup: Lookup,
    max_chars: u32,
}

/// Whether leads are found by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lookup {
    /// Sealed only.
    None,
    /// Found by its fingerprint.
    Search,
    /// Found by its fingerprint, which only one lead of a tenant can have.
    Identity,
    /// Found by a part of it.
    Substring,
}

/// Every column, in the order of the SQL statements and of answers.
pub(crate) static COLUMNS: &[LeadColumn] = &[
    LeadColumn {
        name: "email",
        field: "lead.email",
        kind: PiiKind::of::<Email>(),
        lookup: Lookup::Identity,
        max_chars: 254,
    },
    LeadColumn {
        name: "phone",
        field: "lead.phone",
        kind: PiiKind::of::<PhoneNumber>(),
        lookup: Lookup::Search,
        max_chars: 40,
    },
    LeadColumn {
        name: "national_id",
        field: "lead.national_id",
        kind: PiiKind::of::<NationalId>(),
        lookup: Lookup::Search,
        max_chars: 40,
    },
    LeadColumn {
        name: "name",
        field: "lead.name",
        kind: PiiKind::of::<PersonName>(),
        lookup: Lookup::Substring,
        max_chars: 400,
    },
    LeadColumn {
        name: "address",
        field: "lead.address",
        kind: PiiKind::of::<PostalAddress>(),
        lookup: Lookup::None,
        max_chars: 1_000,
    },
];

impl LeadColumn {
    /// Of `columns`, the one that a value of this kind under this name goes into.
    pub(crate) fn taking<'a>(columns: &'a [Self], name: &str, kind: PiiKind) -> Option<&'a Self> {
        let named = columns.iter().find(|column| column.name == name);
        named.filter(|column| column.kind == kind)
    }

    /// A column that is not looked up, for tests of what the table has no example of.
    #[cfg(test)]
    pub(crate) const fn sealed_only(
        name: &'static str,
        field: &'static str,
        kind: PiiKind,
    ) -> Self {
        let (lookup, max_chars) = (Lookup::None, 320);
        Self {
            name,
            field,
            kind,
            lookup,
            max_chars,
        }
    }

    /// The column that tells which lead is meant.
    pub(crate) fn identity() -> &'static Self {
        let identity = COLUMNS.iter().find(|column| column.is_identity());
        identity.expect("a test holds that there is one")
    }

    /// The column that leads are found by a part of.
    pub(crate) fn found_by_part() -> impl Iterator<Item = &'static Self> {
        COLUMNS.iter().filter(|column| column.is_found_by_part())
    }

    /// The columns that leads are found by a whole value of.
    pub(crate) fn searchable() -> impl Iterator<Item = &'static Self> {
        COLUMNS.iter().filter(|column| column.is_indexed())
    }

    /// The name in JSON and the stem of the SQL columns.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The logical field id that sealing and indexing bind to.
    pub(crate) const fn field(&self) -> &'static str {
        self.field
    }

    /// The same, as the audit log names it.
    pub(crate) const fn audit_field(&self) -> Field {
        Field::new(self.field)
    }

    /// What kind of personal data it holds.
    pub(crate) const fn kind(&self) -> PiiKind {
        self.kind
    }

    /// The most characters that are taken.
    pub(crate) const fn max_chars(&self) -> u32 {
        self.max_chars
    }

    /// Whether leads are found by a whole value of it.
    pub(crate) const fn is_indexed(&self) -> bool {
        matches!(self.lookup, Lookup::Search | Lookup::Identity)
    }

    /// Whether leads are found by a part of it.
    pub(crate) const fn is_found_by_part(&self) -> bool {
        matches!(self.lookup, Lookup::Substring)
    }

    /// Which index its values stand in, if any.
    pub(crate) const fn index(&self) -> Option<&'static str> {
        match self.lookup {
            Lookup::None => None,
            Lookup::Search | Lookup::Identity => Some("identity"),
            Lookup::Substring => Some("search"),
        }
    }

    /// Whether a value belongs to one lead of a tenant alone, whatever is configured.
    pub(crate) const fn is_identity(&self) -> bool {
        matches!(self.lookup, Lookup::Identity)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_pii_crypto::PiiKinds;

    use super::*;

    #[test]
    fn each_kind_can_be_named_by_a_schema() {
        let kinds = PiiKinds::built_in();
        for column in COLUMNS {
            let name = column.kind.name();
            assert!(
                kinds.find(name).is_some(),
                "add `{name}` to the kinds of pii-crypto"
            );
        }
    }

    /// What exactly one lead can own decides which lead is meant.
    #[test]
    fn one_column_is_the_identity_and_names_and_fields_differ() {
        let identities = COLUMNS.iter().filter(|column| column.is_identity());
        assert_eq!(identities.count(), 1);
        for (index, column) in COLUMNS.iter().enumerate() {
            for other in &COLUMNS[..index] {
                assert_ne!(column.name, other.name);
                assert_ne!(column.field, other.field);
            }
            assert_eq!(column.field, format!("lead.{}", column.name));
        }
    }

    #[test]
    fn a_looked_up_column_has_an_indexed_kind() {
        for column in LeadColumn::searchable() {
            assert!(column.kind.is_indexed(), "{column:?}");
        }
    }
}
