//! A wrong secret is found before traffic: every version is compared with what the database
//! remembers of the first time it was used.

use std::{collections::BTreeMap, fmt};

use portcullis_pii_crypto::IndexRoots;
use portcullis_versioned_secrets::{CheckValue, SecretVersion};

use crate::{
    config::INDEX_ROOTS,
    store::{Remembered, SecretCheck, Store, StoreError},
};

/// Every version of a secret that is configured.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) secret: &'static str,
    pub(super) values: BTreeMap<SecretVersion, CheckValue>,
    pub(super) written_with: WrittenWith,
}

/// Which versions something is written with from now on.
#[derive(Debug, Clone, Copy)]
pub(super) enum WrittenWith {
    Every,
    /// The earlier ones are remembered since they were that.
    Only(SecretVersion),
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
    fn checks(&self) -> impl Iterator<Item = SecretCheck> {
        let check = |(version, value): (&SecretVersion, &CheckValue)| SecretCheck {
            secret: self.secret.to_owned(),
            version: version.value(),
            value: value.as_bytes().to_vec(),
        };
        self.values.iter().map(check)
    }

    fn in_use(&self) -> impl Iterator<Item = SecretCheck> {
        self.checks().filter(|check| match self.written_with {
            WrittenWith::Every => true,
            WrittenWith::Only(version) => check.version == version.value(),
        })
    }
}

/// Compares every configured secret with what is remembered, and remembers what is used for the
/// first time only when all is right: a typing error leaves no trace.
pub(super) async fn verify(
    store: &dyn Store,
    index_roots: &IndexRoots,
    configured: &[Configured],
) -> Result<(), VerifyError> {
    let checks: Vec<SecretCheck> = configured.iter().flat_map(Configured::checks).collect();
    let mut wrong = compare(&store.secret_checks().await?, &checks);
    if wrong.is_empty() {
        let primary = index_roots.enforced_version().value();
        let enforced = store.enforced_index(primary).await?;
        if enforced != primary {
            wrong.push(Wrong::NotEnforced { enforced });
        }
    }
    if wrong.is_empty() {
        let in_use: Vec<SecretCheck> = configured.iter().flat_map(Configured::in_use).collect();
        // Another process may do the same with other secrets: the first one's stay.
        store.remember_secrets(&in_use).await?;
        wrong = compare(&store.secret_checks().await?, &checks);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

/// Compares every configured secret with what a database remembers, and changes nothing.
pub(super) fn compare_with(
    remembered: &Remembered,
    index_roots: &IndexRoots,
    configured: &[Configured],
) -> Result<(), WrongSecrets> {
    let checks: Vec<SecretCheck> = configured.iter().flat_map(Configured::checks).collect();
    let mut wrong = compare(&remembered.checks, &checks);
    let primary = index_roots.enforced_version().value();
    if let Some(enforced) = remembered.enforced_index.filter(|it| *it != primary)
        && wrong.is_empty()
    {
        wrong.push(Wrong::NotEnforced { enforced });
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong))
    }
}

fn compare(remembered: &[SecretCheck], configured: &[SecretCheck]) -> Vec<Wrong> {
    let wrong = remembered.iter().filter_map(|known| {
        let same =
            |check: &&SecretCheck| check.secret == known.secret && check.version == known.version;
        let (secret, version) = (known.secret.clone(), known.version);
        match configured.iter().find(same) {
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
