//! Search indexes: few bits, that several contents share.

use portcullis_keyring::TenantId;

use super::{
    IndexRoots, IndexValue, Indexed, NormalForm, SEARCH, key::IndexKey, normal_form,
    plan::SearchBits,
};
use crate::Pii;

/// The search index of one field of one tenant, with its keys derived: for many values.
///
/// What is found are candidates: several contents share a value. Open them and keep those that
/// [`matches`](Self::matches) says are it.
#[derive(Debug)]
pub struct SearchIndex {
    // The enforced version first.
    keys: Vec<IndexKey>,
}

impl SearchIndex {
    /// The values to write: one for each live version, the enforced one first, which is the one to look up.
    #[must_use]
    pub fn values<T: Indexed>(&self, value: &Pii<T>) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copy is wiped.
        self.values_of(&normal_form(value.expose()))
    }

    /// The values under its [former forms](Indexed::former), to look up after the current one and not to
    /// write.
    #[must_use]
    pub fn former_values<T: Indexed>(&self, value: &Pii<T>) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copies are wiped.
        let forms = value.expose().former();
        forms.iter().flat_map(|form| self.values_of(form)).collect()
    }

    /// Whether a candidate that was opened is what was looked for: both count as the same.
    #[must_use]
    pub fn matches<T: Indexed>(wanted: &Pii<T>, opened: &Pii<T>) -> bool {
        // EXPOSE: compared, and the normalised copies are wiped.
        let (wanted, opened) = (wanted.expose(), opened.expose());
        normal_form(wanted) == normal_form(opened)
    }

    pub(crate) fn values_of(&self, (normaliser, normalised): &NormalForm) -> Vec<IndexValue> {
        let value = |key: &IndexKey| key.value(normaliser, normalised.as_bytes());
        self.keys.iter().map(value).collect()
    }
}

impl IndexRoots {
    /// The search index of a field. A field has this one or [trigrams](Self::trigram_index), not both:
    /// they share a name, `search`.
    #[must_use]
    pub fn search_index(&self, tenant: &TenantId, field: &str, bits: SearchBits) -> SearchIndex {
        let roots = self.enforced_first();
        SearchIndex {
            keys: roots
                .map(|root| root.derive(tenant, field, SEARCH, bits.get()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
