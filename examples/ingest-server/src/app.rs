//! Assembles the service from its crates, runs it, and takes it down in order.
//!
//! The way of a request, from the outside in: [`Listener`] (connections, time limits) →
//! [`routes`] (security headers, panics, requests in flight) → the handler → the stages of
//! [`crate::pipeline`] → [`Writer`] (group commit) → [`Store`].

mod part;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::MatchedPath;
use portcullis_apikey_cache::ApiKeyCache;
use portcullis_keyring::entropy::{Entropy, EntropyError, SystemEntropy};
use portcullis_ratelimit::{MemoryStore, Policies, RateLimiter, TrustedProxies, WhenFull};
use portcullis_telemetry::{Detectors, Guard, HttpLayer, MetricError, Registry, RemoteParent};
use tokio::sync::watch;

use part::{Part, first_ended};

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
    #[error("the default limits cannot be used")]
    Policies(#[from] portcullis_ratelimit::PolicyError),
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error("cannot listen on {address}: {kind}")]
    Listen {
        address: SocketAddr,
        kind: std::io::ErrorKind,
    },
}

/// A part of the service ended on its own, and without it requests would only fail.
#[derive(Debug, thiserror::Error)]
#[error("{0} ended, see the log; start the service again")]
pub(crate) struct PartEnded(&'static str);

/// How long an orderly end may take. With what telemetry needs to flush, the process ends within
/// the ten seconds after which it would be killed.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// A service whose addresses are bound and whose background work runs.
pub(crate) struct App {
    services: Arc<Services>,
    admin: AdminState,
    store: SqliteStore,
    trace: HttpLayer,
    public_listener: Listener,
    admin_listener: Listener,
    addresses: Addresses,
    writing: Part,
    following: Part,
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
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let shared_store: Arc<dyn Store> = Arc::new(store.clone());
        let writes = WriteMetrics::register(registry)?;
        let (writer, write_groups) = Writer::new(
            Arc::clone(&shared_store),
            WriterLimits::default(),
            Arc::clone(&clock),
            writes.clone(),
        );
        let quality =
            observe::quality(&config.schemas, telemetry.redactor(), make_seed(&*entropy)?);
        observe::register(registry, &quality, &writer)?;
        let trace = HttpLayer::new(registry, |extensions| {
            extensions.get::<MatchedPath>().map(MatchedPath::as_str)
        })?;
        let writing = Part::spawn("the writer", write_groups);
        let following = Part::spawn("the follower of revocations", keys.follow());
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
        let admin = AdminState::new(Arc::clone(&services), Arc::clone(config), telemetry, writes);
        let network = &config.network;
        let public_listener = bind(network.listen, network.trusted_proxies.clone()).await?;
        let public_listener = public_listener.with_books(&services.quality);
        let admin_listener = bind(network.admin_listen, TrustedProxies::none()).await?;
        let addresses = Addresses {
            public: address(&public_listener)?,
            admin: address(&admin_listener)?,
        };
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
    /// answered, what is queued is written, and the database is closed, all of it by one deadline.
    ///
    /// # Errors
    /// A part of the service ended before; the rest is taken down in the same way.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), PartEnded> {
        let Self {
            services,
            admin: state,
            store,
            trace,
            mut writing,
            mut following,
            ..
        } = self;
        let (stop_serving, stopped) = watch::channel(false);
        let public = routes::public(
            Arc::clone(&services),
            Guards::new(PUBLIC_IN_FLIGHT, trace.clone()),
        );
        let public = self.public_listener.serve(public, stopped.clone());
        let mut public = Part::spawn("the public listener", public);
        let admin = routes::admin(state.clone(), Guards::new(ADMIN_IN_FLIGHT, trace));
        let admin = self.admin_listener.serve(admin, stopped);
        let mut admin = Part::spawn("the admin listener", admin);

        let parts = [&mut public, &mut admin, &mut writing, &mut following];
        let outcome = tokio::select! {
            () = stop => Ok(()),
            name = first_ended(parts) => Err(PartEnded(name)),
        };
        tracing::info!("stopping: requests in flight are answered first");
        state.drain();
        stop_serving.send_replace(true);
        let orderly_end = async {
            tokio::join!(public.ended(), admin.ended());
            drop(following);
            // The writer ends when nobody can queue any more.
            drop((services, state));
            writing.ended().await;
            store.close().await;
        };
        match tokio::time::timeout(SHUTDOWN, orderly_end).await {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!("stopped; what still went on was cut off"),
        }
        outcome
    }
}

fn limiter(registry: &Registry) -> Result<RateLimiter, StartError> {
    let store = MemoryStore::new(limits::MAX_BUCKETS, WhenFull::SharedOverflow);
    let limiter = RateLimiter::builder()
        .policies(limits::complete(Policies::builder())?)
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
