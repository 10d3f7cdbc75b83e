//! Assembles the service from its crates, runs it, and takes it down in order.
//!
//! The way of a request, from the outside in: [`Listener`] (connections, time limits) →
//! [`routes`] (security headers, panics, requests in flight) → the handler → the stages of
//! [`crate::pipeline`] → [`Writer`] (group commit) → [`Store`].

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::MatchedPath;
use portcullis_apikey_cache::ApiKeyCache;
use portcullis_keyring::{Entropy, EntropyError, SystemEntropy};
use portcullis_ratelimit::{MemoryStore, Policies, RateLimiter, TrustedProxies, WhenFull};
use portcullis_telemetry::{Detectors, Guard, HttpLayer, MetricError, Registry, RemoteParent};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    clock::{Clock, SystemClock, make_seed},
    config::Config,
    limits,
    listener::{Limits, Listener},
    observe::{self, ApiKeyMetrics, LimitMetrics, WriteMetrics},
    routes::{self, AdminState, Guards},
    services::Services,
    store::{SqliteStore, Store, Writer, WriterLimits},
    vault::{Vault, VaultError},
};

/// Requests that are worked on at once, on the public and on the admin listener.
const PUBLIC_IN_FLIGHT: usize = 512;
const ADMIN_IN_FLIGHT: usize = 32;

/// Where the service can be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("a metric cannot be registered")]
    Metrics(#[from] MetricError),
    #[error("the rate limiter cannot be built")]
    Limits(#[from] portcullis_ratelimit::BuildError),
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error("cannot listen on {address}: {kind}")]
    Listen {
        address: SocketAddr,
        kind: std::io::ErrorKind,
    },
}

/// How long requests whose senders are gone may take to end.
const WRITE_DRAIN: Duration = Duration::from_secs(2);

/// A service whose addresses are bound and whose background work runs.
pub(crate) struct App {
    services: Arc<Services>,
    admin: AdminState,
    store: SqliteStore,
    trace: HttpLayer,
    public_listener: Listener,
    admin_listener: Listener,
    addresses: Addresses,
    writing: JoinHandle<()>,
    following: JoinHandle<()>,
}

impl App {
    /// Checks and opens everything, and binds the addresses last.
    pub(crate) async fn start(config: &Arc<Config>, telemetry: &Guard) -> Result<Self, StartError> {
        let registry = telemetry.registry();
        let key_metrics = Arc::new(ApiKeyMetrics::register(registry)?);
        let vault = Vault::open(config, Some(key_metrics)).await?;
        let Vault {
            store,
            keyring,
            index_roots,
            keys,
        } = vault;
        let network = &config.network;
        let public_listener = bind(network.listen, network.trusted_proxies.clone()).await?;
        let admin_listener = bind(network.admin_listen, TrustedProxies::none()).await?;
        let addresses = Addresses {
            public: address(&public_listener)?,
            admin: address(&admin_listener)?,
        };

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let shared_store: Arc<dyn Store> = Arc::new(store.clone());
        let (writer, write_groups) = Writer::new(
            Arc::clone(&shared_store),
            WriterLimits::default(),
            Arc::clone(&clock),
            WriteMetrics::register(registry)?,
        );
        let quality =
            observe::quality(&config.schemas, telemetry.redactor(), make_seed(&*entropy)?);
        observe::register(registry, &quality, &writer)?;
        let trace = HttpLayer::new(registry, |extensions| {
            extensions.get::<MatchedPath>().map(MatchedPath::as_str)
        })?;
        let writing = tokio::spawn(write_groups);
        let following = tokio::spawn(keys.follow());
        let services = Arc::new(Services {
            clock,
            entropy,
            keys,
            keyring,
            index_roots,
            detectors: Detectors::new(),
            limiter: limiter(registry)?,
            quality,
            schemas: Arc::clone(&config.schemas),
            store: shared_store,
            writer,
        });
        let admin = AdminState::new(Arc::clone(&services), Arc::clone(config), registry.clone());
        Ok(Self {
            services,
            admin,
            store,
            trace: trace.with_remote_parent(RemoteParent::Link),
            public_listener,
            admin_listener,
            addresses,
            writing,
            following,
        })
    }

    pub(crate) const fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub(crate) fn keys(&self) -> &ApiKeyCache {
        &self.services.keys
    }

    /// Serves until `stop` resolves. Then: nothing new is accepted, requests in flight are
    /// answered, what is queued is written, and the database is closed.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let (stop_public, public_stopped) = watch::channel(false);
        let (stop_admin, admin_stopped) = watch::channel(false);
        let public = routes::public(
            Arc::clone(&self.services),
            Guards::new(PUBLIC_IN_FLIGHT, self.trace.clone()),
        );
        let admin = routes::admin(self.admin.clone(), Guards::new(ADMIN_IN_FLIGHT, self.trace));
        let public = tokio::spawn(self.public_listener.serve(public, public_stopped));
        let admin = tokio::spawn(self.admin_listener.serve(admin, admin_stopped));

        stop.await;
        tracing::info!("stopping: requests in flight are answered first");
        self.admin.drain();
        stop_public.send_replace(true);
        log_panic(public.await, "the public listener");
        stop_admin.send_replace(true);
        log_panic(admin.await, "the admin listener");

        self.following.abort();
        // The writing task ends when nobody can queue any more.
        drop((self.services, self.admin));
        match tokio::time::timeout(WRITE_DRAIN, self.writing).await {
            Ok(ended) => log_panic(ended, "the writer"),
            Err(_) => tracing::warn!("requests without a reader were cut off"),
        }
        self.store.close().await;
        tracing::info!("stopped");
    }
}

fn limiter(registry: &Registry) -> Result<RateLimiter, StartError> {
    let store = MemoryStore::new(limits::MAX_BUCKETS, WhenFull::SharedOverflow);
    let limiter = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .store(Arc::new(store))
        .observer(Arc::new(LimitMetrics::register(registry)?))
        .build()?;
    Ok(limiter)
}

async fn bind(address: SocketAddr, proxies: TrustedProxies) -> Result<Listener, StartError> {
    let listener = Listener::bind(address, Limits::default(), proxies).await;
    listener.map_err(|error| listen(address, &error))
}

fn address(listener: &Listener) -> Result<SocketAddr, StartError> {
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
    listener
        .address()
        .map_err(|error| listen(unspecified, &error))
}

fn listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    StartError::Listen {
        address,
        kind: error.kind(),
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>, what: &'static str) {
    if ended.is_err() {
        tracing::error!(what, "a task of the service panicked");
    }
}
