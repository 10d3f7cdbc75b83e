//! The secrets that key hashing depends on, by version.

mod derive;
mod tag_key;
mod version;

use std::{collections::BTreeMap, fmt, sync::Arc};

use portcullis_versioned_secrets::{CheckValue, SecretVersion, VersionedSecrets};
use secrecy::{ExposeSecret as _, SecretBox};

use self::{derive::Root, tag_key::TagKey};
use crate::mac::MacKey;

#[cfg(test)]
pub(crate) use self::tests::peppers;
pub use self::version::{PepperError, PepperVersion};

/// The peppers in use: one under which keys are hashed, and others that still verify. Of versions that
/// verify nothing any more the tag keys may be left.
///
/// A pepper is 32 random bytes that the database never holds: without it nobody who reads the
/// table can test a guess, and nobody who writes it can mint or widen a key.
///
/// Cloning is cheap and copies no secret.
///
/// # Security
///
/// The secrets passed in are wiped when their last clone is dropped, and so is what is derived from
/// them; what is left on the stack while that is done is not.
#[derive(Clone)]
pub struct Peppers {
    /// The primary one first.
    peppers: Arc<[Pepper]>,
    /// Of other versions than these.
    tags_only: BTreeMap<PepperVersion, Arc<TagKey>>,
}

/// What a version of the pepper is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PepperRole {
    /// New keys are issued and hashed under it, and others are when they are used.
    Primary,
    /// Keys that are hashed under it are accepted, and hashed under the primary one then.
    Verifies,
    /// Its tag key alone is there: it tells the kids that were issued under it from invented ones.
    TagsOnly,
    /// There is neither: every key that needs it is refused.
    Missing,
}

impl PepperRole {
    /// The name that lists and interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Verifies => "verifies",
            Self::TagsOnly => "tags-only",
            Self::Missing => "missing",
        }
    }
}

impl Peppers {
    /// Derives the keys of each version; new keys are hashed under the primary one.
    ///
    /// # Errors
    ///
    /// [`PepperError::VersionOutOfRange`] if a version is above 65,535.
    pub fn new(secrets: VersionedSecrets) -> Result<Self, PepperError> {
        let peppers = secrets.primary_first().map(|(version, secret)| {
            // EXPOSE: the keys of hashes, rows and kids are derived from it.
            Ok(Pepper::derive(version.try_into()?, secret.expose_secret()))
        });
        Ok(Self {
            peppers: peppers.collect::<Result<_, PepperError>>()?,
            tags_only: BTreeMap::new(),
        })
    }

    /// Adds versions of which the tag keys are left, as [`tag_key`](Self::tag_key) gave them: keys that were
    /// issued under such a version are good as long as they are hashed under another one.
    ///
    /// A tag key verifies no hash and no row, and none can be forged with it. It makes kids that reach the
    /// store, where there is no record of them. The tag key of a version whose pepper is there adds nothing.
    ///
    /// # Errors
    ///
    /// [`PepperError::ForeignTagKey`] if the version's pepper is there, and the key is not the one derived
    /// from it; [`PepperError::RepeatedTagKey`], [`PepperError::SameTagKey`].
    pub fn with_tag_keys(
        mut self,
        keys: impl IntoIterator<Item = (PepperVersion, SecretBox<[u8; 32]>)>,
    ) -> Result<Self, PepperError> {
        for (version, key) in keys {
            // EXPOSE: it becomes the key of a MAC.
            let key = TagKey::new(key.expose_secret());
            let same = self.tag_keys().find(|(_, other)| other.is(&key));
            match (self.find(version), same) {
                (Some(_), Some((of, _))) if of == version => {}
                (Some(_), _) => return Err(PepperError::ForeignTagKey(version)),
                _ if self.tags_only.contains_key(&version) => {
                    return Err(PepperError::RepeatedTagKey(version));
                }
                (None, Some((other, _))) => return Err(PepperError::SameTagKey(other, version)),
                (None, None) => {
                    self.tags_only.insert(version, Arc::new(key));
                }
            }
        }
        Ok(self)
    }

    /// What is kept of a version after its pepper: see [`with_tag_keys`](Self::with_tag_keys). `None` if
    /// nothing of the version is there.
    ///
    /// # Security
    ///
    /// A secret. Who has it can invent kids that cost a reading of the store each; that is all.
    #[must_use]
    pub fn tag_key(&self, version: PepperVersion) -> Option<SecretBox<[u8; 32]>> {
        let mut keys = self.tag_keys();
        keys.find(|(of, _)| *of == version)
            .map(|(_, key)| key.copy())
    }

    /// What a version is good for.
    #[must_use]
    pub fn role(&self, version: PepperVersion) -> PepperRole {
        if self.primary().version == version {
            PepperRole::Primary
        } else if self.find(version).is_some() {
            PepperRole::Verifies
        } else if self.tags_only.contains_key(&version) {
            PepperRole::TagsOnly
        } else {
            PepperRole::Missing
        }
    }

    /// Every version of which something is there: the primary one first, those with tag keys alone last.
    pub fn versions(&self) -> impl Iterator<Item = PepperVersion> {
        self.tag_keys().map(|(version, _)| version)
    }

    /// A value for each pepper that shows whether a process has the same as another.
    ///
    /// A service stores it when it first uses a version and compares it at every start, so that a
    /// wrong pepper is found before the first request. It is derived one-way and tells nothing
    /// about the pepper.
    #[must_use]
    pub fn check_values(&self) -> BTreeMap<SecretVersion, CheckValue> {
        self.peppers
            .iter()
            .map(|pepper| (pepper.version.into(), pepper.check))
            .collect()
    }

    /// The keys that authenticate notices on a bus, the primary one first.
    #[cfg(feature = "redis")]
    pub(crate) fn bus_keys(&self) -> Vec<(PepperVersion, MacKey)> {
        let keys = self.peppers.iter();
        keys.map(|pepper| (pepper.version, pepper.bus.begin().keep()))
            .collect()
    }

    /// The same for tag keys, those of peppers too: what is stored while a pepper is there shows later
    /// whether the tag key that is left is its own.
    #[must_use]
    pub fn tag_check_values(&self) -> BTreeMap<SecretVersion, CheckValue> {
        self.tag_keys()
            .map(|(version, key)| (version.into(), key.check))
            .collect()
    }

    pub(crate) fn primary(&self) -> &Pepper {
        &self.peppers[0]
    }

    pub(crate) fn find(&self, version: PepperVersion) -> Option<&Pepper> {
        self.peppers.iter().find(|pepper| pepper.version == version)
    }

    /// What tags kids under this version.
    pub(crate) fn find_tag(&self, version: PepperVersion) -> Option<&MacKey> {
        let mut keys = self.tag_keys();
        keys.find(|(of, _)| *of == version).map(|(_, key)| &key.mac)
    }

    fn tag_keys(&self) -> impl Iterator<Item = (PepperVersion, &TagKey)> {
        let tags_only = self.tags_only.iter();
        let tags_only = tags_only.map(|(version, key)| (*version, key.as_ref()));
        let full = self.peppers.iter();
        full.map(|pepper| (pepper.version, &pepper.kid_tag))
            .chain(tags_only)
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peppers")
            .field("primary", &self.primary().version)
            .finish_non_exhaustive()
    }
}

/// One pepper, as the keys derived from it.
pub(crate) struct Pepper {
    pub(crate) version: PepperVersion,
    /// Hashes the secrets of keys; the pepper itself.
    pub(crate) hash: MacKey,
    /// Authenticates rows.
    pub(crate) row: MacKey,
    kid_tag: TagKey,
    /// Authenticates notices on a bus.
    #[cfg(feature = "redis")]
    bus: MacKey,
    check: CheckValue,
}

impl Pepper {
    fn derive(version: PepperVersion, bytes: &[u8; 32]) -> Self {
        let root = Root::new(bytes);
        Self {
            version,
            // EXPOSE: the pepper is the HMAC key of the stored hashes, by the format.
            hash: MacKey::new(bytes),
            row: MacKey::new(&root.derive(b"portcullis/apikey-row/v1")),
            kid_tag: TagKey::derive(&root),
            #[cfg(feature = "redis")]
            bus: MacKey::new(&root.derive(b"portcullis/apikey-bus/v1")),
            check: CheckValue::from_bytes(*root.derive(b"portcullis/apikey-check/v1")),
        }
    }

    /// Tags kids.
    pub(crate) fn kid_tag(&self) -> &MacKey {
        &self.kid_tag.mac
    }
}

#[cfg(test)]
mod tests;
