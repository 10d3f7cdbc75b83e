//! Key-encryption keys that data keys are still wrapped under, and that are not configured: missed at the
//! start, not when somebody's data cannot be opened.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use portcullis_keyring::{
    kek::{KekProvider, WrappedKey},
    store::{DekStore, KeyQuery, StoreError},
};

use crate::config::{self, KEKS, KekSource};

/// Which wrapped keys a provider can open, by the words of [`KekProvider::version_of`].
#[derive(Debug, Clone)]
pub(super) enum Opens {
    /// These versions.
    Versions(Vec<String>),
    /// Every version whose name begins so.
    #[cfg(feature = "vault")]
    Beginning(String),
}

/// How many data keys are wrapped under what is not configured.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(self))]
pub(crate) struct NeededKeks {
    provider: KekSource,
    missing: BTreeMap<Option<String>, u64>,
}

/// Keys that are read at once.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// Reads every data key; one whose row or wrapped bytes are damaged is missed where it is needed, and does not
/// stop the start.
pub(super) async fn count(
    data_keys: &dyn DekStore,
    kek: &dyn KekProvider,
    opens: &Opens,
) -> Result<BTreeMap<Option<String>, u64>, StoreError> {
    let mut missing = BTreeMap::new();
    let mut query = KeyQuery::all(PAGE);
    loop {
        let page = data_keys.list(&query).await?;
        let Some(last) = page.last_id() else { break };
        query = query.after(last);
        for wrapped in page.keys.iter().filter_map(|key| key.wrapped()) {
            let version = kek.version_of(wrapped);
            if version.is_none() && !is_envelope(wrapped) {
                continue;
            }
            if !version.as_ref().is_some_and(|it| opens.opens(it)) {
                *missing.entry(version).or_default() += 1;
            }
        }
    }
    Ok(missing)
}

/// Whether it is what one of the providers writes: `FA`, and its format.
fn is_envelope(wrapped: &WrappedKey) -> bool {
    matches!(wrapped.as_bytes(), [0xFA, 1..=3, ..])
}

/// Whether each can be opened.
pub(super) fn check(
    provider: &KekSource,
    missing: BTreeMap<Option<String>, u64>,
) -> Result<(), NeededKeks> {
    let provider = provider.clone();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(NeededKeks { provider, missing })
    }
}

impl Opens {
    fn opens(&self, version: &str) -> bool {
        match self {
            Self::Versions(versions) => versions.iter().any(|known| known == version),
            #[cfg(feature = "vault")]
            Self::Beginning(beginning) => version.starts_with(beginning),
        }
    }
}

struct Listing<'a>(&'a NeededKeks);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(NeededKeks { provider, missing }) = self;
        write!(f, "data keys cannot be opened:")?;
        for (version, count) in missing {
            let are = match count {
                1 => "1 data key is".to_owned(),
                count => format!("{count} data keys are"),
            };
            match (version, provider) {
                (Some(version), KekSource::Local) => write!(
                    f,
                    "\n  {KEKS}: version {version} is missing, and {are} wrapped under it; put it \
                     back until `keys rewrap` has wrapped them again"
                )?,
                (Some(version), KekSource::AwsKms(_)) => write!(
                    f,
                    "\n  {}: {version} is missing, and {are} wrapped under it; add it until `keys \
                     rewrap` has wrapped them again",
                    config::settings::KMS_OLD_KEYS.variable
                )?,
                (Some(version), KekSource::Vault(_)) => write!(
                    f,
                    "\n  {}: {are} wrapped under {version}, which is another key; set it back",
                    config::settings::VAULT_TRANSIT_KEY.variable
                )?,
                (None, provider) => write!(
                    f,
                    "\n  {}: {are} not wrapped by `{}`; set it back",
                    config::settings::KEK_PROVIDER.variable,
                    provider.as_str()
                )?,
            }
        }
        Ok(())
    }
}
