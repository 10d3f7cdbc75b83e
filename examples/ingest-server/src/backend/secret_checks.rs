//! A wrong secret is found before traffic: every version is compared with what the database
//! remembers of the first time it was used.

use std::fmt;

use portcullis_apikey_cache::Peppers;
use portcullis_pii_crypto::IndexRoots;

use crate::{
    config::{INDEX_ROOTS, KEY_PEPPERS, Secrets},
    store::{SecretCheck, Store, StoreError},
};

/// One version of a secret that is configured.
#[derive(Debug, Clone)]
pub(super) struct Configured {
    check: SecretCheck,
    /// Whether something is written with it from now on.
    is_in_use: bool,
}

/// Secrets that this database was not written with.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct WrongSecrets(Vec<Wrong>);

/// The secrets could not be compared, or are wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Wrong(#[from] WrongSecrets),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug)]
enum Wrong {
    /// Another value than before under the same version.
    Value { secret: String, version: u32 },
    /// A version the database needs is not configured.
    Missing { secret: String, version: u32 },
    /// Another index version is enforced than the primary one.
    NotEnforced { enforced: u16 },
}

impl Configured {
    pub(super) fn new(secret: &str, version: u32, value: &[u8], is_in_use: bool) -> Self {
        let check = SecretCheck {
            secret: secret.to_owned(),
            version,
            value: value.to_owned(),
        };
        Self { check, is_in_use }
    }
}

/// Every version of the index roots, all of which are written with.
pub(super) fn of_index_roots(roots: &IndexRoots) -> Vec<Configured> {
    let checks = roots.check_values().into_iter();
    let check = checks.map(|(version, value)| {
        Configured::new(INDEX_ROOTS, version.value().into(), value.as_bytes(), true)
    });
    check.collect()
}

/// Every version of the peppers, of which the primary one is written with. The earlier ones are
/// remembered since they were that.
pub(super) fn of_peppers(peppers: &Peppers, secrets: &Secrets) -> Vec<Configured> {
    let primary = secrets.key_peppers.primary_version().value();
    let checks = peppers.check_values().into_iter();
    let check = checks.map(|(version, value)| {
        let version = version.value().into();
        Configured::new(KEY_PEPPERS, version, value.as_bytes(), version == primary)
    });
    check.collect()
}

/// Compares every configured secret with what is remembered, and remembers what is used for the
/// first time only when all is right: a typing error leaves no trace.
pub(super) async fn verify(
    store: &dyn Store,
    index_roots: &IndexRoots,
    configured: &[Configured],
) -> Result<(), VerifyError> {
    let mut wrong = compare(&store.secret_checks().await?, configured);
    if wrong.is_empty() {
        let primary = index_roots.enforced_version().value();
        let enforced = store.enforced_index(primary).await?;
        if enforced != primary {
            wrong.push(Wrong::NotEnforced { enforced });
        }
    }
    if wrong.is_empty() {
        let in_use = configured.iter().filter(|secret| secret.is_in_use);
        let in_use: Vec<SecretCheck> = in_use.map(|secret| secret.check.clone()).collect();
        // Another process may do the same with other secrets: the first one's stay.
        store.remember_secrets(&in_use).await?;
        wrong = compare(&store.secret_checks().await?, configured);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

fn compare(remembered: &[SecretCheck], configured: &[Configured]) -> Vec<Wrong> {
    let wrong = remembered.iter().filter_map(|known| {
        let same =
            |check: &&SecretCheck| check.secret == known.secret && check.version == known.version;
        let mut checks = configured.iter().map(|secret| &secret.check);
        let (secret, version) = (known.secret.clone(), known.version);
        match checks.find(same) {
            None => Some(Wrong::Missing { secret, version }),
            Some(check) if check.value != known.value => Some(Wrong::Value { secret, version }),
            Some(_) => None,
        }
    });
    wrong.collect()
}

struct Listing<'a>(&'a [Wrong]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secrets do not belong to this database:")?;
        for wrong in self.0 {
            match wrong {
                Wrong::Value { secret, version } => write!(
                    f,
                    "\n  {secret}: version {version} is not the one the data was written with; \
                     restore it"
                )?,
                Wrong::Missing { secret, version } => write!(
                    f,
                    "\n  {secret}: version {version} is in use and not configured; add it"
                )?,
                Wrong::NotEnforced { enforced } => write!(
                    f,
                    "\n  {INDEX_ROOTS}_PRIMARY: the data is indexed under version {enforced}; set \
                     it back to {enforced}"
                )?,
            }
        }
        Ok(())
    }
}
