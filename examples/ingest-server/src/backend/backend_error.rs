//! Why what the service works with cannot be used.

use portcullis_apikey_cache::{ManageError, bus::RedisBusConfigError};
use portcullis_keyring::{self as keyring, kek::KekError};

use super::{
    database::DatabaseError,
    limiter::LimiterError,
    needed_keks::NeededKeks,
    needed_peppers::NeededPeppers,
    secret_checks::{VerifyError, WrongSecrets},
    secret_services::{FetchError, ServiceError},
};

/// The database, the keys or the limiter cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackendError {
    /// A secret is not the one this database was written with; the text says which.
    #[error(transparent)]
    Secrets(#[from] WrongSecrets),
    /// API keys would be refused that are good.
    #[error(transparent)]
    Peppers(#[from] NeededPeppers),
    /// Data keys could not be opened.
    #[error(transparent)]
    Keks(#[from] NeededKeks),
    #[error("the data keys cannot be counted")]
    DataKeys(#[from] keyring::store::StoreError),
    #[error("the key-encryption key cannot be used")]
    Kek(#[from] KekError),
    #[error(transparent)]
    Services(#[from] ServiceError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the API keys cannot be counted")]
    ApiKeys(#[from] ManageError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A set of secrets that the configuration let through.
    #[error("a set of secrets cannot be used: {0}")]
    Unusable(Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Limiter(#[from] LimiterError),
    #[error("Redis cannot carry changes of API keys as it is configured")]
    Bus(#[from] RedisBusConfigError),
}

impl BackendError {
    /// Whether it is something to set right, which no further start does.
    pub(crate) const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Secrets(_) | Self::Peppers(_) | Self::Keks(_) | Self::Services(_)
        )
    }
}

impl From<VerifyError> for BackendError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Wrong(wrong) => Self::Secrets(wrong),
            VerifyError::Store(error) => DatabaseError::from(error).into(),
        }
    }
}
