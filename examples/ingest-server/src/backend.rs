//! The database, the keys and the limiter that are configured: the only place that knows which
//! they are. Everything outside works with the traits.

mod api_key_bus;
mod audit;
mod backend_error;
mod database;
mod feed_apart;
mod grouped_keys;
mod heartbeat;
mod key_provider;
mod limit_stores;
mod limiter;
mod live_secrets;
mod location;
mod made_secrets;
mod needed_keks;
mod needed_peppers;
mod outages;
mod redis_client;
mod secret_checks;
mod secret_health;
mod secret_refresh;
mod secret_services;
mod swappable_kek;
mod upkeep;
mod watched;
mod watched_bus;

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_apikey_cache::{self as apikey_cache, ApiKeyCache, Peppers, store::KeyStore};
use portcullis_dq_metrics::history::QualityHistory;
use portcullis_keyring::{
    self as keyring, KeyId, Keyring, Purpose, TenantId,
    kek::{KekContext, KekProvider},
    store::DekStore,
};
use portcullis_ratelimit::{self as ratelimit, RateLimiter};
use portcullis_telemetry::DatabaseDurations;

use self::{
    database::Database, limiter::Limiters, live_secrets::LiveSecrets, made_secrets::Secrets,
    upkeep::Upkeep, watched::Watch,
};
use crate::{
    clock::SystemClock,
    config::{self, Config, INDEX_ROOTS, KekSource},
    store::{
        FaultLatch, FaultObserver, LiveIndexRoots, NotedErasures, Remembered, SloHistory, Store,
        StoreError, UniqueFieldsError, sqlite,
    },
};

#[cfg(test)]
pub(crate) use self::database::empty_store;
pub(crate) use self::{
    audit::{
        AUDIT_CLOSE, AuditFollowing, AuditNode, AuditOpenError, FillError, ForeignLog, KEPT_CLOSE,
        LogTreeNamed, NamedLogError, NamedLogs, NotInPlace, OpenedAudit, OpenedLog, RefusedLogs,
        unsigned_logs,
    },
    backend_error::BackendError,
    database::DatabaseError,
    limit_stores::{LimitStores, LimitTable, LimitsHealth},
    location::Location,
    secret_health::{RefreshOutcome, SecretHealth, SecretObserver},
    secret_refresh::SecretRefresh,
    secret_services::SecretServices,
};

/// An opened database whose secrets are the ones it was written with, and what works on it.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) data_keys: Arc<dyn DekStore>,
    pub(crate) quality_history: Arc<dyn QualityHistory>,
    pub(crate) slo_history: Arc<dyn SloHistory>,
    pub(crate) keyring: Keyring,
    /// What wraps the keys of `keyring`.
    pub(crate) kek: Arc<dyn KekProvider>,
    /// Read once; who works for longer follows them.
    pub(crate) index_roots: LiveIndexRoots,
    pub(crate) api_keys: ApiKeyCache,
    /// Those that `api_keys` has.
    pub(crate) peppers: Peppers,
    pub(crate) key_store: Arc<dyn KeyStore>,
    pub(crate) limiter: RateLimiter,
    pub(crate) operators: RateLimiter,
    pub(crate) failed_admin_tokens: RateLimiter,
    pub(crate) failed_api_keys: RateLimiter,
    pub(crate) limit_stores: Arc<LimitStores>,
    pub(crate) upkeep: Upkeep,
    /// Those in use, which [`secret_refresh`](Self::secret_refresh) replaces.
    pub(crate) live: LiveSecrets,
    pub(crate) secret_health: SecretHealth,
    pub(crate) secret_refresh: SecretRefresh,
    connections: Connections,
}

/// Who learns of what happens in the crates behind; nobody unless set.
#[derive(Debug, Default)]
pub(crate) struct Observers {
    pub(crate) api_keys: Option<Arc<dyn apikey_cache::observer::Observer>>,
    pub(crate) data_keys: Option<Arc<dyn keyring::observer::Observer>>,
    pub(crate) limits: Option<Arc<dyn ratelimit::observer::Observer>>,
    pub(crate) faults: Option<Arc<dyn FaultObserver>>,
    pub(crate) statements: Option<DatabaseDurations>,
    pub(crate) secrets: Option<Arc<dyn SecretObserver>>,
}

/// What becomes of a start where API keys need a pepper, or what is kept of one, that is not configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingPeppers {
    Refuse,
    /// For what shows and revokes keys: nothing is written under any secret.
    Accept,
}

/// What has to be closed at the end.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Database);

/// Data keys that are kept unwrapped, at 1,170 bytes each while they seal: those of 10,000 tenants, with a key for each kind
/// of personal data.
const DATA_KEYS: NonZeroUsize = NonZeroUsize::new(50_000).expect("50,000 is not zero");

impl Backend {
    /// Opens the database and checks every secret against it before anything is read or written
    /// with one. What it remembers of them is added to when all is right, peppers included.
    ///
    /// # Errors
    /// [`BackendError`]; its text and its sources hold no secret.
    pub(crate) async fn open(
        config: &Config,
        services: &SecretServices,
        observers: Observers,
        missing_peppers: MissingPeppers,
    ) -> Result<Self, BackendError> {
        let latch = FaultLatch::new(observers.faults);
        let watch = Watch::new(latch, observers.statements.as_ref());
        let database = Database::open(&config.database, watch).await?;
        let store = database.store();
        let kek_sources = &config.providers.kek;
        let secrets = Secrets::made(&config.secrets, kek_sources, services)?;
        secret_checks::compare(&*store, &secrets.configured).await?;

        let data_keys = database.data_keys().await?;
        secrets.check_data_keys(&*data_keys).await?;
        let Secrets {
            provider,
            local_keks,
            index_roots,
            peppers,
            configured,
            ..
        } = secrets;
        let quality_history = database.quality_history().await?;
        let (key_store, changes) = database.api_keys().await?;
        let bus = api_key_bus::configured(
            &config.providers.limits,
            &peppers,
            observers.statements.as_ref(),
        )?;
        let mut api_keys = ApiKeyCache::builder(Arc::clone(&key_store), changes, peppers.clone());
        if let Some(bus) = bus {
            api_keys = api_keys.bus(bus);
        }
        if let Some(observer) = observers.api_keys {
            api_keys = api_keys.observer(observer);
        }
        let api_keys = api_keys.build();
        let usage = needed_peppers::check(&api_keys.pepper_usage().await?);
        if usage.is_ok() || missing_peppers == MissingPeppers::Refuse {
            usage?;
            secret_checks::verify(&*store, &index_roots, &configured).await?;
        }
        let live = LiveSecrets::new(&config.secrets.admin_token, index_roots, local_keks);
        let index_roots = LiveIndexRoots::new(
            INDEX_ROOTS,
            Arc::clone(&live.index_roots),
            Arc::clone(&store),
            Arc::new(SystemClock),
        );
        index_roots.read().await.map_err(DatabaseError::from)?;
        let mut keyring = Keyring::builder(Arc::clone(&provider), Arc::clone(&data_keys))
            .cache_capacity(DATA_KEYS);
        if let Some(observer) = observers.data_keys {
            keyring = keyring.observer(observer);
        }
        let Limiters {
            limiter,
            operators,
            failed_admin_tokens,
            failed_api_keys,
            stores,
            upkeep,
        } = Limiters::configured(
            &config.providers.limits,
            observers.limits,
            observers.statements.as_ref(),
        )?;
        let secret_health = SecretHealth::new(services.has_source() || config.reader.has_files());
        let secret_refresh = SecretRefresh {
            reader: Arc::clone(&config.reader),
            every: config.refresh,
            providers: kek_sources.clone(),
            services: services.clone(),
            store: Arc::clone(&store),
            data_keys: Arc::clone(&data_keys),
            api_keys: api_keys.clone(),
            live: live.clone(),
            health: secret_health.clone(),
            observer: observers.secrets,
            in_use: config.revision.clone(),
            told: None,
        };
        Ok(Self {
            keyring: keyring.build(),
            kek: provider,
            api_keys,
            peppers,
            key_store,
            limiter,
            operators,
            failed_admin_tokens,
            failed_api_keys,
            limit_stores: Arc::new(stores),
            upkeep,
            live,
            secret_health,
            secret_refresh,
            store,
            data_keys,
            quality_history,
            slo_history: database.slo_history(),
            index_roots,
            connections: Connections(database),
        })
    }

    /// What the database remembers, if there is one that remembers any secrets and they are the
    /// configured ones; without opening it to write.
    ///
    /// # Errors
    /// [`BackendError`], as from [`open`](Self::open).
    pub(crate) async fn compare_secrets(
        config: &Config,
        services: &SecretServices,
    ) -> Result<Option<Remembered>, BackendError> {
        let Some(remembered) = Database::remembered(&config.database).await? else {
            return Ok(None);
        };
        let secrets = Secrets::made(&config.secrets, &config.providers.kek, services)?;
        secret_checks::compare_with(&remembered, &secrets.configured)?;
        if let Some(keys) = Database::kept_data_keys(&config.database).await? {
            match secrets.check_data_keys(&*keys).await {
                // An earlier version's table, which a start brings up to date before it looks.
                Err(BackendError::DataKeys(_)) => {}
                checked => checked?,
            }
        }
        if let Some(keys) = Database::kept_api_keys(&config.database).await? {
            let keys = ApiKeyCache::builder_without_feed(keys, secrets.peppers).build();
            needed_peppers::check(&keys.pepper_usage().await?)?;
        }
        Ok(Some(remembered))
    }

    /// Which erasures the database that there is knows of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn noted_erasures(config: &Config) -> Result<NotedErasures, StoreError> {
        let config::Database::Sqlite(path) = &config.database;
        sqlite::noted_erasures(path).await
    }

    /// Whether each field that is to be held unique can be, in the database that there is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn shared_values(
        config: &Config,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError> {
        let config::Database::Sqlite(path) = &config.database;
        sqlite::check_unique(path, &config.unique_lead_fields).await
    }

    /// Whether the key-encryption key wraps and unwraps, tried with a key that nobody keeps.
    ///
    /// # Errors
    /// [`BackendError::Kek`].
    pub(crate) async fn try_kek(
        config: &Config,
        services: &SecretServices,
    ) -> Result<(), BackendError> {
        let secrets = Secrets::made(&config.secrets, &config.providers.kek, services)?;
        let context = trial_context();
        let made = secrets.provider.generate(&context).await?;
        secrets.provider.unwrap_key(&context, &made.wrapped).await?;
        Ok(())
    }

    /// Refuses a key-encryption key that is kept elsewhere and can never wrap a data key, before anything is
    /// served. That its keeper does not answer refuses nothing: a service that starts again meanwhile takes
    /// what needs no data key, and the rest without another start.
    ///
    /// # Errors
    /// [`BackendError::Services`], with the reason.
    pub(crate) async fn check_kek(
        config: &Config,
        services: &SecretServices,
    ) -> Result<(), BackendError> {
        for source in config.providers.kek.all() {
            match source {
                KekSource::Vault(key) => services.check_vault_key(key).await?,
                KekSource::AwsKms(keys) => services.check_kms_key(keys).await?,
                KekSource::Local => {}
            }
        }
        Ok(())
    }

    /// What has to be closed when everything else is gone.
    pub(crate) fn connections(&self) -> Connections {
        self.connections.clone()
    }
}

impl Connections {
    /// Closes every connection to the database.
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// For a key of nobody.
fn trial_context() -> KekContext {
    let tenant = TenantId::new("check-config").expect("it is a name");
    let purpose = Purpose::new("check-config").expect("it is a name");
    KekContext::new(tenant, purpose, KeyId::new(u32::MAX))
}
