//! Blind indexes: keyed fingerprints that find a value without storing it.

mod key;
mod keyed;
pub mod plan;
mod roots;
mod search;
mod state;
mod trigram;
mod value;

use std::{fmt, num::NonZeroU16};

use portcullis_keyring::TenantId;
use zeroize::Zeroizing;

use self::key::{IndexKey, IndexRoot};
use crate::{Pii, PiiType};

pub use self::{
    roots::{IndexRoots, IndexVersionOutOfRange, UnknownIndexVersion},
    search::SearchIndex,
    state::{IllegalIndexStep, IndexPhase, IndexState},
    trigram::{AcceptLeak, QueryTooShort, TrigramIndex, TrigramQuery},
    value::IndexValue,
};

/// Personal data that can be found again by a blind index. Its [`PiiType::INDEXING`] says so.
///
/// # Contract
/// Values that count as the same have the same `normaliser` and the same `normalised` form, and no
/// others have. `NORMALISERS` lists every normaliser that a value may have, now or in an earlier
/// version. What a name means never changes: another normal form is another name, `email/2`. Values
/// whose form is the same under either rule keep the name they had, so that what is stored of them is
/// found; `former` gives the forms of the others, so that what was stored before is found too.
///
/// No former form of one value is the normal form, or a former form, of another that does not count as
/// the same: a look-up would find somebody else.
pub trait Indexed: PiiType {
    /// The names and versions of every way in which values of the kind are normalised: `email/1`.
    const NORMALISERS: &'static [&'static str];

    /// The name and version of how the value is normalised: `email/1`. It is part of what is
    /// hashed, so that two ways never give one fingerprint.
    fn normaliser(&self) -> &'static str;

    /// The form that is equal for values that count as the same.
    fn normalised(&self) -> Zeroizing<String>;

    /// The forms, each after the name of its normaliser, that earlier versions of the type gave to the
    /// value or to another that counts as the same, where they are not the normal form; default: none.
    /// They are looked up after the normal form and never written.
    fn former(&self) -> Vec<(&'static str, Zeroizing<String>)> {
        Vec::new()
    }
}

/// How a type of personal data is found by a blind index, for code that knows its
/// [`PiiKind`](crate::PiiKind) alone: the value of [`PiiType::INDEXING`].
pub struct Indexing<T> {
    normalisers: &'static [&'static str],
    normalise: fn(&T) -> NormalForm,
    former: fn(&T) -> Vec<NormalForm>,
}

/// The normaliser's name, and what it makes of a value.
pub(crate) type NormalForm = (&'static str, Zeroizing<String>);

/// The version of an index root: a number from 1. It stands in every fingerprint in two bytes, so that
/// it goes to 65,535 and not as far as a [`SecretVersion`](crate::secrets::SecretVersion).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexVersion(NonZeroU16);

/// The unique index of one field of one tenant, with its keys derived: for many values.
#[derive(Debug)]
pub struct UniqueIndex {
    // The enforced version first.
    keys: Vec<IndexKey>,
}

/// The fingerprints of one field of one tenant under the enforced version, with their key derived:
/// for many contents.
#[derive(Debug)]
pub struct FingerprintIndex {
    key: IndexKey,
}

impl<T: Indexed> Indexing<T> {
    /// As the type normalises its values.
    ///
    /// A type that lists no normaliser does not compile.
    #[must_use]
    pub const fn new() -> Self {
        const {
            assert!(!T::NORMALISERS.is_empty(), "an index needs a normaliser");
        }
        Self {
            normalisers: T::NORMALISERS,
            normalise: normal_form::<T>,
            former: T::former,
        }
    }
}

impl<T: Indexed> Default for Indexing<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Indexing<T> {
    pub(crate) const fn normalisers(&self) -> &'static [&'static str] {
        self.normalisers
    }

    pub(crate) fn normalise(&self, value: &T) -> NormalForm {
        (self.normalise)(value)
    }

    pub(crate) fn former(&self, value: &T) -> Vec<NormalForm> {
        (self.former)(value)
    }
}

impl<T> fmt::Debug for Indexing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Indexing").field(&self.normalisers).finish()
    }
}

impl FingerprintIndex {
    /// The fingerprint of a content, as [`IndexRoots::fingerprint`] gives it.
    #[must_use]
    pub fn value(&self, normaliser: &str, bytes: &[u8]) -> IndexValue {
        self.key.value(normaliser, bytes)
    }
}

impl UniqueIndex {
    /// The fingerprints of a value, to write and to look up: one for each live version, the enforced one
    /// first.
    #[must_use]
    pub fn values<T: Indexed>(&self, value: &Pii<T>) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copy is wiped.
        self.values_of(value.expose().normaliser(), &value.expose().normalised())
    }

    /// The fingerprints of a value under its [former forms](Indexed::former), to look up after
    /// [`values`](Self::values) and not to write: those under the enforced version first. Most values
    /// have none.
    #[must_use]
    pub fn former_values<T: Indexed>(&self, value: &Pii<T>) -> Vec<IndexValue> {
        // EXPOSE: hashed with a key; the normalised copies are wiped.
        self.former_values_of(&value.expose().former())
    }

    pub(crate) fn former_values_of(&self, forms: &[NormalForm]) -> Vec<IndexValue> {
        let under = |key: &IndexKey| {
            let value = |(name, form): &NormalForm| key.value(name, form.as_bytes());
            forms.iter().map(value).collect::<Vec<_>>()
        };
        self.keys.iter().flat_map(under).collect()
    }

    pub(crate) fn values_of(&self, normaliser: &str, normalised: &str) -> Vec<IndexValue> {
        self.keys
            .iter()
            .map(|key| key.value(normaliser, normalised.as_bytes()))
            .collect()
    }
}

impl IndexRoots {
    /// The fingerprints of a value in the unique index `identity` of a field, 128 bits each: one
    /// for each live version, the enforced one first.
    #[must_use]
    pub fn unique<T: Indexed>(
        &self,
        tenant: &TenantId,
        field: &str,
        value: &Pii<T>,
    ) -> Vec<IndexValue> {
        self.unique_index(tenant, field).values(value)
    }

    /// The unique index `identity` of a field, to look up many values without deriving its keys
    /// each time.
    #[must_use]
    pub fn unique_index(&self, tenant: &TenantId, field: &str) -> UniqueIndex {
        let derive = |root: &IndexRoot| root.derive(tenant, field, IDENTITY, UNIQUE_BITS);
        UniqueIndex {
            keys: self.enforced_first().map(derive).collect(),
        }
    }

    /// A fingerprint of any content, 128 bits, under the enforced version: index `fingerprint` of
    /// the field.
    ///
    /// `normaliser` names how `bytes` were made from the content, with a version: `event/1`.
    #[must_use]
    pub fn fingerprint(
        &self,
        tenant: &TenantId,
        field: &str,
        normaliser: &str,
        bytes: &[u8],
    ) -> IndexValue {
        self.fingerprint_index(tenant, field)
            .value(normaliser, bytes)
    }

    /// The index `fingerprint` of a field, for many contents without deriving its key each time.
    #[must_use]
    pub fn fingerprint_index(&self, tenant: &TenantId, field: &str) -> FingerprintIndex {
        let root = self.enforced();
        FingerprintIndex {
            key: root.derive(tenant, field, FINGERPRINT, UNIQUE_BITS),
        }
    }

    /// [`fingerprint_index`](Self::fingerprint_index) under every version that is configured, the enforced
    /// one first: what was stored is compared with the fingerprint of its version.
    #[must_use]
    pub fn fingerprint_indexes(&self, tenant: &TenantId, field: &str) -> Vec<FingerprintIndex> {
        let derive = |root: &IndexRoot| FingerprintIndex {
            key: root.derive(tenant, field, FINGERPRINT, UNIQUE_BITS),
        };
        let enforced = self.enforced();
        let others = self.configured();
        let others = others.filter(|root| root.version() != enforced.version());
        [enforced].into_iter().chain(others).map(derive).collect()
    }

    /// A [`fingerprint`](Self::fingerprint) under the version of one that was stored, to compare
    /// with it.
    ///
    /// # Errors
    /// [`UnknownIndexVersion`] when that version is not configured any more.
    pub fn fingerprint_under(
        &self,
        version: IndexVersion,
        tenant: &TenantId,
        field: &str,
        normaliser: &str,
        bytes: &[u8],
    ) -> Result<IndexValue, UnknownIndexVersion> {
        let root = self.root(version)?;
        let key = root.derive(tenant, field, FINGERPRINT, UNIQUE_BITS);
        Ok(key.value(normaliser, bytes))
    }
}

impl IndexVersion {
    /// The version with this number.
    #[must_use]
    pub const fn new(version: NonZeroU16) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for IndexVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn normal_form<T: Indexed>(value: &T) -> NormalForm {
    (value.normaliser(), value.normalised())
}

const IDENTITY: &str = "identity";
const FINGERPRINT: &str = "fingerprint";
const SEARCH: &str = "search";
const UNIQUE_BITS: u16 = 128;

#[cfg(test)]
mod tests;
