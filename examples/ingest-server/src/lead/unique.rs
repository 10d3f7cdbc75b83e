//! Of which columns one value belongs to one lead of a tenant alone.

use std::fmt;

use super::LeadColumn;

/// The identity, and what an operator adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UniqueFields(Vec<&'static LeadColumn>);

/// A list of fields that cannot be it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableFields {
    // Not what it is: a value that was pasted into the wrong place would be shown.
    #[error("entry {0} is nothing that leads are found by; name {known}", known = names())]
    Unknown(usize),
    #[error("lacks `{0}`, by which a lead that comes again is known")]
    WithoutIdentity(&'static str),
    #[error("names a field twice")]
    Repeated,
}

impl UniqueFields {
    /// Reads `email,national_id`.
    pub(crate) fn parse(text: &str) -> Result<Self, UnusableFields> {
        let mut columns = Vec::new();
        for (number, name) in text.split(',').map(str::trim).enumerate() {
            let column = LeadColumn::searchable().find(|column| column.name() == name);
            let column = column.ok_or(UnusableFields::Unknown(number + 1))?;
            if columns.contains(&column) {
                return Err(UnusableFields::Repeated);
            }
            columns.push(column);
        }
        let identity = LeadColumn::identity();
        if !columns.contains(&identity) {
            return Err(UnusableFields::WithoutIdentity(identity.name()));
        }
        // First what most leads are known by.
        columns.sort_by_key(|column| !column.is_identity());
        Ok(Self(columns))
    }

    pub(crate) fn contains(&self, column: &LeadColumn) -> bool {
        self.0.contains(&column)
    }

    /// The identity first.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static LeadColumn> + '_ {
        self.0.iter().copied()
    }
}

/// As in the setting, in the order of the columns: `email,national_id`.
impl fmt::Display for UniqueFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = LeadColumn::searchable().filter(|column| self.contains(column));
        let names = columns.map(LeadColumn::name);
        f.write_str(&names.collect::<Vec<_>>().join(","))
    }
}

/// The identity alone.
impl Default for UniqueFields {
    fn default() -> Self {
        Self(vec![LeadColumn::identity()])
    }
}

fn names() -> String {
    let names = LeadColumn::searchable().map(|column| format!("`{}`", column.name()));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_among_them_and_comes_first() {
        let names = |text| {
            let fields = UniqueFields::parse(text)?;
            Ok(fields.columns().map(LeadColumn::name).collect::<Vec<_>>())
        };
        assert_eq!(names("email"), Ok(vec!["email"]));
        assert_eq!(
            names("national_id, email"),
            Ok(vec!["email", "national_id"])
        );
        assert_eq!(
            names("national_id"),
            Err(UnusableFields::WithoutIdentity("email"))
        );
        assert_eq!(names("email,email"), Err(UnusableFields::Repeated));
        // A name is found by its parts, which many names share.
        for text in ["", "email,", "email,name", "email,Phone", "email;phone"] {
            assert!(
                matches!(names(text), Err(UnusableFields::Unknown(_))),
                "{text}"
            );
        }
        for text in ["email,phone,national_id", "national_id,phone,email"] {
            let fields = UniqueFields::parse(text).unwrap().to_string();
            assert_eq!(fields, "email,phone,national_id");
        }
        assert_eq!(
            UniqueFields::default(),
            UniqueFields::parse("email").unwrap()
        );
    }
}
