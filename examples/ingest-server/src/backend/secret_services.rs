//! Connections to what holds secrets and keys outside of this process: each is made once, and whatever needs it
//! shares it.

#[cfg(feature = "aws-kms")]
use std::sync::OnceLock;
use std::{sync::Arc, time::Duration};

use portcullis_keyring::kek::KekProvider;
use portcullis_versioned_secrets::source::{FetchedSecrets, SecretSource, SourceError};

use crate::config::{self, KekSource, KekSources, KmsKeys, SecretPlace, TransitKey};

/// AWS and Vault, where they are configured, and what holds the secrets if it is one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecretServices {
    source: Option<(SecretPlace, Arc<dyn SecretSource>)>,
    #[cfg(feature = "aws-kms")]
    aws: Option<portcullis_versioned_secrets::aws::AwsConnection>,
    #[cfg(feature = "aws-kms")]
    kms: Arc<OnceLock<portcullis_keyring::kek::AwsKms>>,
    #[cfg(feature = "vault")]
    vault: Option<portcullis_versioned_secrets::vault::VaultClient>,
}

/// What is configured cannot be reached as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// The configuration asks for them.
    #[error("{} is missing", config::KEKS)]
    NoKeks,
    /// The configuration was read for another.
    #[error("{what} was not connected to")]
    NotConnected { what: String },
    #[cfg(any(feature = "aws-kms", feature = "vault"))]
    #[error("{what} cannot be used as it is configured")]
    Unusable {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The secrets were not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the secrets cannot be fetched")]
    Source(#[from] SourceError),
    #[error("the secrets cannot be fetched: there was no answer in time from {0}")]
    TimedOut(SecretPlace),
}

/// Longer than a client takes for its own attempts.
const FETCH_WITHIN: Duration = Duration::from_secs(15);

impl SecretServices {
    /// Connects to what keys and secrets are in. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ServiceError::Unusable`]: what the standard variables of AWS or Vault say.
    pub(crate) async fn connect(
        keks: Option<&KekSources>,
        place: Option<&SecretPlace>,
    ) -> Result<Self, ServiceError> {
        // Another provider that somebody has chosen before is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let is_any = |is: fn(&KekSource) -> bool| keks.is_some_and(|keks| keks.all().any(is));
        let needs_aws = is_any(|it| matches!(it, KekSource::AwsKms(_)))
            || matches!(place, Some(SecretPlace::Aws { .. }));
        let needs_vault = is_any(|it| matches!(it, KekSource::Vault(_)))
            || matches!(place, Some(SecretPlace::Vault { .. }));
        let mut services = Self::default();
        if needs_aws {
            services.connect_to_aws().await?;
        }
        if needs_vault {
            services.connect_to_vault()?;
        }
        if let Some(place) = place {
            let source = match place {
                SecretPlace::Vault { mount, path } => services.vault_entry(mount, path)?,
                SecretPlace::Aws { id } => services.aws_secret(id)?,
            };
            services.source = Some((place.clone(), source));
        }
        Ok(services)
    }

    /// Whether secrets are fetched.
    pub(super) const fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// What the place of the secrets holds now, if they are not in the environment.
    ///
    /// # Errors
    /// [`FetchError`], which names the place.
    pub(crate) async fn fetch(&self) -> Result<Option<(SecretPlace, FetchedSecrets)>, FetchError> {
        let Some((place, source)) = &self.source else {
            return Ok(None);
        };
        match tokio::time::timeout(FETCH_WITHIN, source.fetch()).await {
            Ok(fetched) => Ok(Some((place.clone(), fetched?))),
            Err(_) => Err(FetchError::TimedOut(place.clone())),
        }
    }
}

#[cfg(feature = "aws-kms")]
const NO_KMS: &str = "AWS KMS does not say which key wraps: the service starts, and refuses what needs a data key until it does";

#[cfg(feature = "aws-kms")]
impl SecretServices {
    async fn connect_to_aws(&mut self) -> Result<(), ServiceError> {
        use portcullis_versioned_secrets::aws::AwsConnection;
        let connection = AwsConnection::from_env().await;
        self.aws = Some(connection.map_err(|error| unusable("AWS", error))?);
        Ok(())
    }

    pub(super) fn aws_kms(&self, keys: &KmsKeys) -> Result<Arc<dyn KekProvider>, ServiceError> {
        Ok(Arc::new(self.kms(keys)?.clone()))
    }

    /// Asks KMS which key an alias names. One that there is not, or that nobody may look at, is refused; where KMS
    /// does not answer, that is told, and it is asked again before the key is used.
    pub(super) async fn check_kms_key(&self, keys: &KmsKeys) -> Result<(), ServiceError> {
        const REFUSALS: [&str; 4] = [
            "NotFoundException",
            "AccessDeniedException",
            "InvalidArnException",
            "ValidationException",
        ];
        let kms = self.kms(keys)?;
        match tokio::time::timeout(FETCH_WITHIN, kms.wrapping_key()).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) if failure.code().is_some_and(|it| REFUSALS.contains(&it)) => {
                return Err(unusable(config::settings::KMS_KEY.variable, failure));
            }
            Ok(Err(failure)) => {
                let error: &dyn std::error::Error = &failure;
                tracing::warn!(error, "{NO_KMS}");
            }
            Err(_) => tracing::warn!("{NO_KMS}"),
        }
        Ok(())
    }

    /// The same for all who ask, so that an alias is looked up once.
    fn kms(&self, keys: &KmsKeys) -> Result<&portcullis_keyring::kek::AwsKms, ServiceError> {
        if let Some(kms) = self.kms.get() {
            return Ok(kms);
        }
        let kms = self.make_kms(keys)?;
        Ok(self.kms.get_or_init(|| kms))
    }

    fn make_kms(&self, keys: &KmsKeys) -> Result<portcullis_keyring::kek::AwsKms, ServiceError> {
        use portcullis_keyring::kek::AwsKms;
        let connection = self.aws.as_ref().ok_or_else(|| not_connected("AWS"))?;
        let KmsKeys { key, old_keys } = keys;
        let key_setting = config::settings::KMS_KEY.variable;
        let kms = AwsKms::new(connection, key).map_err(|error| unusable(key_setting, error))?;
        let kms = old_keys
            .iter()
            .try_fold(kms, |kms, key| kms.also_opens(key));
        let old_setting = config::settings::KMS_OLD_KEYS.variable;
        kms.map_err(|error| unusable(old_setting, error))
    }

    fn aws_secret(&self, id: &str) -> Result<Arc<dyn SecretSource>, ServiceError> {
        use portcullis_versioned_secrets::aws::SecretsManager;
        let connection = self.aws.as_ref().ok_or_else(|| not_connected("AWS"))?;
        Ok(Arc::new(SecretsManager::new(connection, id)))
    }
}

#[cfg(not(feature = "aws-kms"))]
impl SecretServices {
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    async fn connect_to_aws(&mut self) -> Result<(), ServiceError> {
        Err(not_connected("AWS"))
    }

    pub(super) fn aws_kms(&self, keys: &KmsKeys) -> Result<Arc<dyn KekProvider>, ServiceError> {
        Err(not_connected(&keys.key))
    }

    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(super) async fn check_kms_key(&self, keys: &KmsKeys) -> Result<(), ServiceError> {
        Err(not_connected(&keys.key))
    }

    fn aws_secret(&self, id: &str) -> Result<Arc<dyn SecretSource>, ServiceError> {
        Err(not_connected(id))
    }
}

#[cfg(feature = "vault")]
const VAULT_KEY: &str = config::settings::VAULT_TRANSIT_KEY.variable;
#[cfg(feature = "vault")]
const NO_ANSWER: &str =
    "Vault does not answer: the service starts, and refuses what needs a data key until it does";

#[cfg(feature = "vault")]
const UNKNOWN_END: &str = "whether the token of Vault ends is not known, and it is not renewed: allow \
     `auth/token/lookup-self` and `auth/token/renew-self`";

#[cfg(feature = "vault")]
impl SecretServices {
    fn connect_to_vault(&mut self) -> Result<(), ServiceError> {
        use portcullis_versioned_secrets::vault::VaultClient;
        let client = VaultClient::from_env();
        self.vault = Some(client.map_err(|error| unusable("Vault", error))?);
        Ok(())
    }

    pub(super) fn vault_transit(
        &self,
        key: &TransitKey,
    ) -> Result<Arc<dyn KekProvider>, ServiceError> {
        Ok(Arc::new(self.transit(key)?))
    }

    /// Asks Vault what it says of the key. One that can never wrap a data key is refused; where Vault does not
    /// answer, that is told, and the key looked at again before it is used.
    pub(super) async fn check_vault_key(&self, key: &TransitKey) -> Result<(), ServiceError> {
        use portcullis_keyring::kek::VaultKeyError;
        use portcullis_versioned_secrets::vault::VaultError;
        let transit = self.transit(key)?;
        match tokio::time::timeout(FETCH_WITHIN, transit.check()).await {
            Ok(Ok(_)) => {}
            Ok(Err(VaultKeyError::Vault(error @ VaultError::Unavailable(_)))) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "{NO_ANSWER}");
            }
            Ok(Err(error)) => return Err(unusable(VAULT_KEY, error)),
            Err(_) => tracing::warn!("{NO_ANSWER}"),
        }
        Ok(())
    }

    fn transit(
        &self,
        key: &TransitKey,
    ) -> Result<portcullis_keyring::kek::VaultTransit, ServiceError> {
        let client = self.vault.clone().ok_or_else(|| not_connected("Vault"))?;
        let TransitKey { mount, key } = key;
        let transit = portcullis_keyring::kek::VaultTransit::new(client, mount, key);
        transit.map_err(|error| unusable(VAULT_KEY, error))
    }

    fn vault_entry(&self, mount: &str, path: &str) -> Result<Arc<dyn SecretSource>, ServiceError> {
        use portcullis_versioned_secrets::vault::VaultKv;
        let client = self.vault.clone().ok_or_else(|| not_connected("Vault"))?;
        let setting = config::settings::SECRETS_PATH.variable;
        let entry = VaultKv::new(client, mount, path);
        Ok(Arc::new(entry.map_err(|error| unusable(setting, error))?))
    }

    /// Keeps the token of Vault from running out, until it is dropped; once it cannot, says so and ends.
    pub(super) async fn keep_logged_in(&self) {
        use portcullis_telemetry::BackgroundTask;
        use portcullis_versioned_secrets::vault::TokenEnd;
        let Some(client) = &self.vault else { return };
        let end = client.keep_renewed().await;
        BackgroundTask::new("renew_token").within(|| match end {
            TokenEnd::Ends(left) => tracing::warn!(
                "the token of Vault cannot be renewed and ends in {} s: give another one, or a login",
                left.as_secs()
            ),
            TokenEnd::Unknown(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "{UNKNOWN_END}");
            }
            _ => {}
        });
    }
}

#[cfg(not(feature = "vault"))]
impl SecretServices {
    fn connect_to_vault(&mut self) -> Result<(), ServiceError> {
        Err(not_connected("Vault"))
    }

    pub(super) fn vault_transit(
        &self,
        key: &TransitKey,
    ) -> Result<Arc<dyn KekProvider>, ServiceError> {
        let TransitKey { mount, key } = key;
        Err(not_connected(&format!("{mount}/{key}")))
    }

    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(super) async fn check_vault_key(&self, key: &TransitKey) -> Result<(), ServiceError> {
        let TransitKey { mount, key } = key;
        Err(not_connected(&format!("{mount}/{key}")))
    }

    fn vault_entry(&self, mount: &str, path: &str) -> Result<Arc<dyn SecretSource>, ServiceError> {
        Err(not_connected(&format!("{mount}/{path}")))
    }

    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(super) async fn keep_logged_in(&self) {}
}

impl FetchError {
    /// Whether somebody has to set something right; else asking again can help.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Source(
                SourceError::Denied { .. }
                    | SourceError::NotFound { .. }
                    | SourceError::Malformed { .. }
            )
        )
    }
}

fn not_connected(what: &str) -> ServiceError {
    let what = what.to_owned();
    ServiceError::NotConnected { what }
}

#[cfg(any(feature = "aws-kms", feature = "vault"))]
fn unusable(
    what: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> ServiceError {
    let source = source.into();
    ServiceError::Unusable { what, source }
}
