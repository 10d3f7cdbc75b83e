//! A wrong secret is found before traffic: every version is compared with what the database
//! remembers of the first time it was used.

use std::fmt;

use portcullis_apikey_cache::Peppers;
use portcullis_keyring::kek::LocalKek;
use portcullis_pii_crypto::IndexRoots;
use portcullis_versioned_secrets::{CheckValue, SecretVersion};

use super::{BackendError, DatabaseError};
use crate::{
    config::{INDEX_ROOTS, KEKS, KEY_PEPPERS, Secrets},
    store::{SecretCheck, Store},
};

/// Secrets that this database was not written with.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct WrongSecrets(Vec<Wrong>);

#[derive(Debug)]
enum Wrong {
    /// Another value than before under the same version.
    Value { secret: String, version: u32 },
    /// A version the database needs is not configured.
    Missing { secret: String, version: u32 },
    /// Another index version is enforced than the primary one.
    NotEnforced { enforced: u16 },
}

/// Compares every configured secret with what is remembered, and remembers what is used for the
/// first time only when all is right: a typing error leaves no trace.
pub(super) async fn verify(
    store: &dyn Store,
    kek: &LocalKek,
    index_roots: &IndexRoots,
    peppers: &Peppers,
    secrets: &Secrets,
) -> Result<(), BackendError> {
    let configured = configured(kek, index_roots, peppers);
    let mut wrong = compare(
        &store.secret_checks().await.map_err(DatabaseError::from)?,
        &configured,
    );
    if wrong.is_empty() {
        let primary = index_roots.enforced_version().value();
        let enforced = store.enforced_index(primary).await;
        let enforced = enforced.map_err(DatabaseError::from)?;
        if enforced != primary {
            wrong.push(Wrong::NotEnforced { enforced });
        }
    }
    if wrong.is_empty() {
        // Another process may do the same with other secrets: the first one's stay.
        store
            .remember_secrets(&in_use(configured.clone(), secrets))
            .await
            .map_err(DatabaseError::from)?;
        wrong = compare(
            &store.secret_checks().await.map_err(DatabaseError::from)?,
            &configured,
        );
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

fn configured(kek: &LocalKek, index_roots: &IndexRoots, peppers: &Peppers) -> Vec<SecretCheck> {
    let values = [
        (KEKS, kek.check_values()),
        (INDEX_ROOTS, index_roots.check_values()),
        (KEY_PEPPERS, peppers.check_values()),
    ];
    let check = |secret: &str, version: SecretVersion, value: CheckValue| SecretCheck {
        secret: secret.to_owned(),
        version: version.value(),
        value: value.as_bytes().to_vec(),
    };
    let checks = values.into_iter().flat_map(|(secret, values)| {
        let values = values.into_iter();
        values.map(move |(version, value)| check(secret, version, value))
    });
    checks.collect()
}

/// Those that something is written with from now on: every index root, and of the others the
/// primary version. The earlier ones are remembered since they were that.
fn in_use(mut checks: Vec<SecretCheck>, secrets: &Secrets) -> Vec<SecretCheck> {
    checks.retain(|check| match check.secret.as_str() {
        KEKS => check.version == secrets.keks.primary_version().value(),
        KEY_PEPPERS => check.version == secrets.key_peppers.primary_version().value(),
        _ => true,
    });
    checks
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
