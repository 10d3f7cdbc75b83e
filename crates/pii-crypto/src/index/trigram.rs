//! Trigram indexes: names are found by a part of them.

mod normal;

use std::{collections::BTreeSet, fmt};

use portcullis_keyring::TenantId;
use zeroize::Zeroizing;

use self::normal::normal;
use super::{IndexRoots, IndexValue, SEARCH, key::IndexKey};
use crate::{AnyPii, Pii, PiiType};

/// The trigram index of one field of one tenant, with its keys derived.
///
/// What is found are candidates: open them and keep those that [`TrigramQuery::matches`] takes.
#[derive(Debug)]
pub struct TrigramIndex {
    // The enforced version first.
    keys: Vec<IndexKey>,
}

/// What the owner of the data has to have accepted before a trigram index is written. No plan of
/// [`search_bits`](super::plan::search_bits) allows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptLeak {
    /// Who reads the table, without any key, sees which rows of a tenant have the same name, which have a
    /// part in common, and how long each name is about; and since names are not equally frequent, can tell
    /// which names many of them are.
    NameEquality,
}

/// A part of a name that is looked for, in the normal form of names.
pub struct TrigramQuery(Zeroizing<String>);

/// What is looked for has fewer than 3 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of a name to look for takes at least {TRIGRAM} letters")]
#[non_exhaustive]
pub struct QueryTooShort;

impl TrigramIndex {
    /// The values to write, each trigram once: those of each live version, the enforced one first. A name
    /// of fewer than 3 characters has none, and is not found.
    #[must_use]
    pub fn values<T: PiiType>(&self, name: &Pii<T>) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copy is wiped.
        self.values_of(name.expose().text())
    }

    /// [`values`](Self::values) of a value whose kind is known when the program runs.
    #[must_use]
    pub fn values_any(&self, name: &AnyPii) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copy is wiped.
        self.values_of(name.expose())
    }

    /// The values to look up, under the enforced version: a row has to have all of them.
    #[must_use]
    pub fn wanted(&self, query: &TrigramQuery) -> Vec<IndexValue> {
        let enforced = self.keys.first();
        enforced.map_or_else(Vec::new, |key| values(key, &query.0))
    }

    fn values_of(&self, text: &str) -> Vec<IndexValue> {
        let normal = normal(text);
        let values = |key| values(key, &normal);
        self.keys.iter().flat_map(values).collect()
    }
}

impl TrigramQuery {
    /// A part of a name as somebody typed it.
    ///
    /// # Errors
    /// [`QueryTooShort`] when its normal form has fewer than 3 characters.
    pub fn parse(part: &str) -> Result<Self, QueryTooShort> {
        let normal = normal(part);
        match normal.chars().nth(TRIGRAM - 1) {
            Some(_) => Ok(Self(normal)),
            None => Err(QueryTooShort),
        }
    }

    /// Whether a candidate that was opened has the part in it.
    #[must_use]
    pub fn matches<T: PiiType>(&self, name: &Pii<T>) -> bool {
        // EXPOSE: compared, and the normalised copy is wiped.
        self.is_in(name.expose().text())
    }

    /// [`matches`](Self::matches) for a value whose kind is known when the program runs.
    #[must_use]
    pub fn matches_any(&self, name: &AnyPii) -> bool {
        // EXPOSE: compared, and the normalised copy is wiped.
        self.is_in(name.expose())
    }

    fn is_in(&self, text: &str) -> bool {
        normal(text).contains(self.0.as_str())
    }
}

impl IndexRoots {
    /// The trigram index of a field with names of persons, 12 bits for each trigram.
    ///
    /// # Security
    /// It leaks, and `accept` says that this is known: see [`AcceptLeak`]. Keep the table with its values
    /// as close as the names.
    #[must_use]
    pub fn trigram_index(
        &self,
        tenant: &TenantId,
        field: &str,
        accept: AcceptLeak,
    ) -> TrigramIndex {
        let AcceptLeak::NameEquality = accept;
        let roots = self.enforced_first();
        TrigramIndex {
            keys: roots
                .map(|root| root.derive(tenant, field, SEARCH, TRIGRAM_BITS))
                .collect(),
        }
    }
}

impl fmt::Debug for TrigramQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrigramQuery(…)")
    }
}

/// Each value once, in an order that tells nothing of the name.
fn values(key: &IndexKey, normal: &str) -> Vec<IndexValue> {
    let starts = normal.char_indices().map(|(at, _)| at);
    let ends = starts.clone().skip(TRIGRAM).chain([normal.len()]);
    let trigrams = starts.zip(ends).filter_map(|(start, end)| {
        let trigram = &normal[start..end];
        (trigram.chars().count() == TRIGRAM).then_some(trigram)
    });
    let values = trigrams.map(|trigram| key.value(NORMALISER, trigram.as_bytes()));
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

const NORMALISER: &str = "name-trigram/1";
const TRIGRAM: usize = 3;
const TRIGRAM_BITS: u16 = 12;

#[cfg(test)]
mod tests;
