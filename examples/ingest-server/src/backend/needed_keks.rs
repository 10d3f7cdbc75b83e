//! Key-encryption keys that data keys are still wrapped under, and that are not configured: missed at the
//! start, not when somebody's data cannot be opened.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use portcullis_keyring::{
    kek::{KekProvider, WrappedKey},
    store::{DekStore, KeyQuery, StoreError},
};

use crate::config::{self, KEKS, KekSource, KekSources};

/// How many data keys are wrapped under what is not configured.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(self))]
pub(crate) struct NeededKeks {
    providers: KekSources,
    missing: Missing,
}

/// How many keys, by what has wrapped them and in which version.
pub(super) type Missing = BTreeMap<(WrappedBy, Option<String>), u64>;

/// Which provider, as the wrapped bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WrappedBy {
    Local,
    AwsKms,
    Vault,
}

/// Keys that are read at once.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// Reads every data key; one whose row or wrapped bytes are damaged is missed where it is needed, and does not
/// stop the start.
pub(super) async fn count(
    data_keys: &dyn DekStore,
    kek: &dyn KekProvider,
) -> Result<Missing, StoreError> {
    let mut missing = BTreeMap::new();
    let mut query = KeyQuery::all(PAGE);
    loop {
        let page = data_keys.list(&query).await?;
        let Some(last) = page.last_id() else { break };
        query = query.after(last);
        for wrapped in page.keys.iter().filter_map(|key| key.wrapped()) {
            if let Some(by) = WrappedBy::of(wrapped)
                && !kek.opens(wrapped)
            {
                *missing.entry((by, kek.version_of(wrapped))).or_default() += 1;
            }
        }
    }
    Ok(missing)
}

/// Whether each can be opened.
pub(super) fn check(providers: &KekSources, mut missing: Missing) -> Result<(), NeededKeks> {
    // One that its own provider cannot read is damaged.
    missing.retain(|(by, version), _| version.is_some() || !by.is_one_of(providers));
    if missing.is_empty() {
        return Ok(());
    }
    let providers = providers.clone();
    Err(NeededKeks { providers, missing })
}

impl WrappedBy {
    /// Nothing if none of the providers writes such bytes.
    fn of(wrapped: &WrappedKey) -> Option<Self> {
        match wrapped.as_bytes() {
            [0xFA, 1, ..] => Some(Self::Local),
            [0xFA, 2, ..] => Some(Self::AwsKms),
            [0xFA, 3, ..] => Some(Self::Vault),
            _ => None,
        }
    }

    const fn of_source(source: &KekSource) -> Self {
        match source {
            KekSource::Local => Self::Local,
            KekSource::AwsKms(_) => Self::AwsKms,
            KekSource::Vault(_) => Self::Vault,
        }
    }

    fn is_one_of(self, providers: &KekSources) -> bool {
        providers.all().any(|it| Self::of_source(it) == self)
    }

    /// As the settings call it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::AwsKms => "aws-kms",
            Self::Vault => "vault",
        }
    }
}

struct Listing<'a>(&'a NeededKeks);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(NeededKeks { providers, missing }) = self;
        write!(f, "data keys cannot be opened:")?;
        for ((by, version), count) in missing {
            let are = match count {
                1 => "1 data key is".to_owned(),
                count => format!("{count} data keys are"),
            };
            let version = version.as_deref().filter(|_| by.is_one_of(providers));
            match (version, by) {
                (Some(version), WrappedBy::Local) => write!(
                    f,
                    "\n  {KEKS}: version {version} is missing, and {are} wrapped under it; put it \
                     back until `keys rewrap` has wrapped them again"
                )?,
                (Some(version), WrappedBy::AwsKms) => write!(
                    f,
                    "\n  {}: {version} is missing, and {are} wrapped under it; add it until `keys \
                     rewrap` has wrapped them again",
                    config::settings::KMS_OLD_KEYS.variable
                )?,
                (Some(version), WrappedBy::Vault) => write!(
                    f,
                    "\n  {}: {are} wrapped under {version}, which is another key; set it back",
                    config::settings::VAULT_TRANSIT_KEY.variable
                )?,
                (None, by) => write!(
                    f,
                    "\n  {}: `{}` is missing, and {are} wrapped by it; add it until `keys rewrap` has \
                     moved them",
                    config::settings::KEK_OTHER_PROVIDERS.variable,
                    by.as_str()
                )?,
            }
        }
        Ok(())
    }
}
