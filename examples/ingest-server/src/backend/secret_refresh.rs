//! Secrets that change while the service runs: read again and again, checked as at a start, and taken over as a
//! whole or not at all.

use std::{error::Error, sync::Arc, time::Duration};

use portcullis_apikey_cache::{ApiKeyCache, ReplacePeppersError};
use portcullis_keyring::{
    entropy::{Entropy as _, SystemEntropy},
    store::DekStore,
};
use portcullis_telemetry::BackgroundTask;
use tokio::task::spawn_blocking;

use super::{
    BackendError,
    live_secrets::LiveSecrets,
    made_secrets::Secrets,
    secret_checks,
    secret_health::{RefreshOutcome, SecretHealth, SecretObserver},
    secret_services::{FetchError, SecretServices},
};
use crate::{
    config::{self, ConfigError, KekSources, ReadSecrets, Revision, SecretReader},
    store::Store,
};

/// Takes over what changes.
#[derive(Debug)]
pub(crate) struct SecretRefresh {
    pub(super) reader: Arc<SecretReader>,
    pub(super) every: Duration,
    pub(super) providers: KekSources,
    pub(super) services: SecretServices,
    pub(super) store: Arc<dyn Store>,
    pub(super) data_keys: Arc<dyn DekStore>,
    pub(super) api_keys: ApiKeyCache,
    pub(super) live: LiveSecrets,
    pub(super) health: SecretHealth,
    pub(super) observer: Option<Arc<dyn SecretObserver>>,
    /// Of what is in use.
    pub(super) in_use: Revision,
    pub(super) told: Option<Told>,
}

/// What was put into the log last, so that it is there once.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Refused(Revision),
    Unavailable,
}

/// Why what there is is not in use.
#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Peppers(#[from] ReplacePeppersError),
    #[error("the secrets were not read to the end")]
    NotRead,
}

const TASK: BackgroundTask = BackgroundTask::new("refresh_secrets");

/// By how much a pause may be shorter, in parts of 256 of it: many processes are not to ask at the same time.
const JITTER: u32 = 26;

impl SecretRefresh {
    /// Looks again and again, until it is dropped; the login at what holds secrets and keys is kept meanwhile.
    pub(crate) async fn run(mut self) {
        let services = self.services.clone();
        let looking = async {
            // What no process can change is read once.
            if !self.services.has_source() && !self.reader.has_files() {
                std::future::pending::<()>().await;
            }
            loop {
                tokio::time::sleep(jittered(self.every)).await;
                TASK.run(self.look()).await;
            }
        };
        tokio::join!(looking, services.keep_logged_in());
    }

    async fn look(&mut self) {
        let outcome = match self.read().await {
            Ok(reading) => {
                let revision = reading.revision.clone();
                let taken = self.take_over(reading).await;
                self.settle(Some(revision), taken)
            }
            Err(error) => self.settle(None, Err(error)),
        };
        self.health.note(outcome);
        if let Some(observer) = &self.observer {
            observer.observe(outcome);
        }
    }

    async fn read(&self) -> Result<ReadSecrets, RefreshError> {
        let fetched = self.services.fetch().await?;
        let reader = Arc::clone(&self.reader);
        let reading = spawn_blocking(move || reader.read(fetched)).await;
        reading.map_err(|_| RefreshError::NotRead)
    }

    /// Every check of a start, and then everything at once. That something was replaced is `true`.
    async fn take_over(&mut self, reading: ReadSecrets) -> Result<bool, RefreshError> {
        if self.in_use == reading.revision {
            return Ok(false);
        }
        let given = reading.secrets?;
        let secrets = Secrets::made(&given, &self.providers, &self.services)?;
        let store = &*self.store;
        let compared = secret_checks::compare(store, &secrets.configured).await;
        compared.map_err(BackendError::from)?;
        secrets.check_data_keys(&*self.data_keys).await?;
        secrets.check_api_keys(&self.api_keys).await?;
        let verified =
            secret_checks::verify(store, &secrets.index_roots, &secrets.configured).await;
        verified.map_err(BackendError::from)?;
        // The only one that can still fail.
        self.api_keys.replace_peppers(secrets.peppers).await?;
        let config::Secrets {
            admin_token, keks, ..
        } = given;
        self.live.replace(admin_token, secrets.index_roots, keks);
        self.in_use = reading.revision;
        Ok(true)
    }

    fn settle(
        &mut self,
        revision: Option<Revision>,
        taken: Result<bool, RefreshError>,
    ) -> RefreshOutcome {
        match taken {
            Ok(is_replaced) => {
                if self.told.take().is_some() && !is_replaced {
                    tracing::info!("the secrets in use are those that there are again");
                }
                if is_replaced {
                    tracing::info!("other secrets are in use from now on");
                    RefreshOutcome::Replaced
                } else {
                    RefreshOutcome::Unchanged
                }
            }
            Err(error) => self.tell(revision, &error),
        }
    }

    fn tell(&mut self, revision: Option<Revision>, error: &RefreshError) -> RefreshOutcome {
        let (told, outcome) = match revision {
            Some(revision) if error.is_refusal() => {
                (Told::Refused(revision), RefreshOutcome::Refused)
            }
            _ if error.is_refusal() => (Told::Unavailable, RefreshOutcome::Refused),
            _ => (Told::Unavailable, RefreshOutcome::Unavailable),
        };
        if self.told.as_ref() != Some(&told) {
            let error: &(dyn Error + 'static) = error;
            match outcome {
                RefreshOutcome::Refused => tracing::error!(
                    error,
                    "the changed secrets are refused, and those before stay in use"
                ),
                _ => tracing::warn!(
                    error,
                    "the secrets could not be read again, and those before stay in use"
                ),
            }
            self.told = Some(told);
        }
        outcome
    }
}

impl RefreshError {
    /// Whether somebody has to set something right; else trying again can help.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Config(_) => true,
            Self::Fetch(error) => error.is_refusal(),
            Self::Backend(error) => matches!(
                error,
                BackendError::Secrets(_)
                    | BackendError::Peppers(_)
                    | BackendError::Keks(_)
                    | BackendError::Unusable(_)
            ),
            Self::Peppers(error) => !matches!(error, ReplacePeppersError::Store(_)),
            Self::NotRead => false,
        }
    }
}

/// Up to a tenth less.
fn jittered(every: Duration) -> Duration {
    let mut byte = [0];
    // Without random bytes all ask at the same time.
    let _ = SystemEntropy::new().fill(&mut byte);
    every - every * JITTER / 256 * u32::from(byte[0]) / 256
}
