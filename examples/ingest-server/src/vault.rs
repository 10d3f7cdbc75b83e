//! The database with the keys and secrets that belong to it: what `serve` and the administrative
//! commands open alike.

mod checks;

use std::{fs, path::Path, sync::Arc};

use portcullis_apikey_cache::{
    ApiKeyCache, Peppers, SecretVersion, VersionedSecrets, observer::Observer,
    store::SqliteKeyStore,
};
use portcullis_keyring::{KekVersion, Keyring, LocalKek, SqliteDekStore};
use portcullis_pii_crypto::{IndexRoots, IndexVersion};
use secrecy::SecretBox;

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
    DataKeys(#[source] portcullis_keyring::StoreError),
    #[error("the API keys' table cannot be prepared")]
    ApiKeys(#[source] portcullis_apikey_cache::store::StoreError),
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
        let api_keys = Arc::new(SqliteKeyStore::new(store.api_key_pool()));
        api_keys.migrate().await.map_err(VaultError::ApiKeys)?;

        let mut keys = ApiKeyCache::builder(Arc::clone(&api_keys) as _, api_keys, peppers);
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
    let versions = &secrets.keks.versions;
    let keys = versions
        .iter()
        .map(|(version, key)| (KekVersion::new(*version), key.clone()));
    LocalKek::new(KekVersion::new(secrets.keks.primary), keys).map_err(unusable)
}

fn index_roots(secrets: &Secrets) -> Result<IndexRoots, VaultError> {
    let versions = &secrets.index_roots.versions;
    let roots = versions
        .iter()
        .map(|(version, root)| (IndexVersion::new(*version), root.clone()));
    IndexRoots::new(IndexVersion::new(secrets.index_roots.primary), roots).map_err(unusable)
}

fn peppers(secrets: &Secrets) -> Result<Peppers, VaultError> {
    let version = |number: u16| SecretVersion::try_from(u32::from(number)).map_err(unusable);
    let mut peppers = Vec::new();
    for (number, pepper) in &secrets.key_peppers.versions {
        let pepper = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| *bytes = **pepper);
        peppers.push((version(*number)?, pepper));
    }
    let primary = version(secrets.key_peppers.primary)?;
    let peppers = VersionedSecrets::new(primary, peppers).map_err(unusable)?;
    Peppers::new(peppers).map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> VaultError {
    VaultError::Unusable(error.into())
}
