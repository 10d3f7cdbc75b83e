//! A wrong secret is found before traffic: every version is compared with what the database
//! remembers of the first time it was used.

use std::fmt;

use portcullis_apikey_cache::Peppers;
use portcullis_keyring::LocalKek;
use portcullis_pii_crypto::IndexRoots;

use super::VaultError;
use crate::{
    config::{INDEX_ROOTS, KEKS, KEY_PEPPERS},
    store::Store,
};

/// Secrets that this database was not written with.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct WrongSecrets(Vec<Wrong>);

#[derive(Debug)]
enum Wrong {
    /// Another value than before under the same version.
    Value {
        variable: &'static str,
        version: u32,
    },
    /// A version the database needs is not configured.
    Missing {
        variable: &'static str,
        version: u32,
    },
    /// Another index version is enforced than the primary one.
    NotEnforced { enforced: u16 },
}

/// Compares every configured secret, and remembers those that are new.
pub(super) async fn verify(
    store: &dyn Store,
    kek: &LocalKek,
    index_roots: &IndexRoots,
    peppers: &Peppers,
) -> Result<(), VaultError> {
    let keks = kek.check_values().into_iter();
    let keks: Vec<_> = keks
        .map(|(version, value)| (version.value(), *value.as_bytes()))
        .collect();
    let roots = index_roots.check_values().into_iter();
    let roots: Vec<_> = roots
        .map(|(version, value)| (version.value().into(), *value.as_bytes()))
        .collect();
    let peppers = peppers.check_values().into_iter();
    let peppers: Vec<_> = peppers
        .map(|(version, value)| (u16::from(version).into(), *value.as_bytes()))
        .collect();

    let mut wrong = Vec::new();
    for (variable, checks) in [(KEKS, keks), (INDEX_ROOTS, roots), (KEY_PEPPERS, peppers)] {
        verify_versions(store, variable, &checks, &mut wrong).await?;
    }
    let primary = index_roots.enforced_version().value();
    if wrong.is_empty() {
        let enforced = store.enforced_index(primary).await?;
        if enforced != primary {
            wrong.push(Wrong::NotEnforced { enforced });
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

async fn verify_versions(
    store: &dyn Store,
    variable: &'static str,
    checks: &[(u32, [u8; 16])],
    wrong: &mut Vec<Wrong>,
) -> Result<(), VaultError> {
    for version in store.secret_versions(variable).await? {
        if !checks.iter().any(|(configured, _)| *configured == version) {
            wrong.push(Wrong::Missing { variable, version });
        }
    }
    // A typing error must not be remembered: nothing new is stored beside what is wrong.
    if !wrong.is_empty() {
        return Ok(());
    }
    for (version, value) in checks {
        let stored = store.secret_check(variable, *version, value).await?;
        if stored != value {
            wrong.push(Wrong::Value {
                variable,
                version: *version,
            });
        }
    }
    Ok(())
}

struct Listing<'a>(&'a [Wrong]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secrets do not belong to this database:")?;
        for wrong in self.0 {
            match wrong {
                Wrong::Value { variable, version } => write!(
                    f,
                    "\n  {variable}: version {version} is not the one the data was written with; \
                     restore it"
                )?,
                Wrong::Missing { variable, version } => write!(
                    f,
                    "\n  {variable}: version {version} is in use and not configured; add it"
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
