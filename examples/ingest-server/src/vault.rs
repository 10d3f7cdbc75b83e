//! The database with the keys and secrets that belong to it: what `serve` and the administrative
//! commands open alike.

mod checks;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use portcullis_apikey_cache::{ApiKeyCache, Observer, PepperVersion, Peppers, SqliteKeyStore};
use portcullis_keyring::{
    Keyring, SecretVersion, VersionedSecrets, kek::LocalKek, store::SqliteDekStore,
};
use portcullis_pii_crypto::IndexRoots;
use secrecy::SecretBox;
use zeroize::Zeroizing;

use crate::{
    config::{Config, Database, Secrets},
    store::{SqliteStore, StoreError},
};

/// An opened database whose secrets are the ones it was written with.
#[derive(Debug)]
pub(crate) struct Vault {
    pub(crate) store: SqliteStore,
    pub(crate) keyring: Keyring,
    pub(crate) index_roots: IndexRoots,
    pub(crate) keys: ApiKeyCache,
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// A secret is not the one this database was written with; the text says which.
    #[error(transparent)]
    Secrets(#[from] checks::WrongSecrets),
    /// The folder for the file cannot be made.
    #[error("the data folder cannot be created: {0}")]
    Folder(std::io::ErrorKind),
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
    #[error("the data keys' table cannot be prepared")]
    DataKeys(#[source] portcullis_keyring::store::StoreError),
    #[error("the API keys' table cannot be prepared")]
    ApiKeys(#[source] sqlx::migrate::MigrateError),
    /// A set of secrets that the configuration let through.
    #[error("a set of secrets cannot be used: {0}")]
    Unusable(Box<dyn std::error::Error + Send + Sync>),
}

impl Vault {
    /// Opens the database and checks every secret against it before anything is read or written
    /// with one.
    ///
    /// # Errors
    /// [`VaultError`]; its text and its sources hold no secret.
    pub(crate) async fn open(
        config: &Config,
        key_observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, VaultError> {
        let Database::Sqlite(path) = &config.database;
        make_folder(path)?;
        let store = SqliteStore::open(path).await?;
        let kek = kek(&config.secrets)?;
        let index_roots = index_roots(&config.secrets)?;
        let peppers = peppers(&config.secrets)?;
        checks::verify(&store, &kek, &index_roots, &peppers, &config.secrets).await?;

        let data_keys = SqliteDekStore::new(store.data_key_pool());
        data_keys.migrate().await.map_err(VaultError::DataKeys)?;
        let api_keys = SqliteKeyStore::new(store.api_key_pool());
        api_keys.migrate().await.map_err(VaultError::ApiKeys)?;

        let mut keys = ApiKeyCache::builder(Arc::new(api_keys), peppers);
        if let Some(observer) = key_observer {
            keys = keys.observer(observer);
        }
        Ok(Self {
            keyring: Keyring::builder(Arc::new(kek), Arc::new(data_keys)).build(),
            keys: keys.build(),
            index_roots,
            store,
        })
    }
}

fn make_folder(file: &Path) -> Result<(), VaultError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|error| VaultError::Folder(error.kind()))
        }
        _ => Ok(()),
    }
}

fn kek(secrets: &Secrets) -> Result<LocalKek, VaultError> {
    let keks = &secrets.keks;
    versioned(keks.primary, &keks.versions).map(LocalKek::new)
}

fn index_roots(secrets: &Secrets) -> Result<IndexRoots, VaultError> {
    let roots = &secrets.index_roots;
    IndexRoots::new(versioned(roots.primary, &roots.versions)?).map_err(unusable)
}

fn versioned<V: Copy + Into<u32>>(
    primary: V,
    secrets: &BTreeMap<V, Zeroizing<[u8; 32]>>,
) -> Result<VersionedSecrets, VaultError> {
    let version = |number: V| SecretVersion::try_from(number.into()).map_err(unusable);
    let secret = |(number, secret): (&V, &Zeroizing<[u8; 32]>)| -> Result<_, VaultError> {
        // EXPOSE: copied into what wipes it.
        let copy = SecretBox::init_with_mut(|copy: &mut [u8; 32]| copy.copy_from_slice(&**secret));
        Ok((version(*number)?, copy))
    };
    let secrets: Vec<_> = secrets.iter().map(secret).collect::<Result<_, _>>()?;
    VersionedSecrets::new(version(primary)?, secrets).map_err(unusable)
}

fn peppers(secrets: &Secrets) -> Result<Peppers, VaultError> {
    let versions = &secrets.key_peppers.versions;
    let peppers = versions
        .iter()
        .map(|(version, pepper)| ((*version).into(), pepper.clone()));
    Peppers::new(PepperVersion::from(secrets.key_peppers.primary), peppers).map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Unusable(error.into())
}
