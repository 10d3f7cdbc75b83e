//! Assembles the service from its crates, runs it, and takes it down in order.
//!
//! The lifecycle of a request, from the outside in: [`Listener`] (connections, time limits) →
//! [`routes`] (security headers, panics, requests in flight) → the handler → the stages of
//! [`crate::pipeline`] → [`Writer`] (group commit) → [`crate::store::Store`].

pub(crate) mod descriptors;
mod service_task;
pub(crate) mod telemetry;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::extract::MatchedPath;
use portcullis_apikey_cache::ApiKeyCache;
use portcullis_keyring::entropy::{Entropy, EntropyError, SystemEntropy};
use portcullis_pii_detect::Detector;
use portcullis_ratelimit::address::TrustedProxies;
use portcullis_telemetry::{Guard, HttpLayer, MetricError, RemoteParent};
use tokio::sync::watch;
use tracing::Instrument as _;

use self::{
    descriptors::TooFewDescriptors,
    service_task::{ServiceTask, first_ended},
};
use crate::{
    admin::{ApiKeys, Components, UseCases},
    backend::{Backend, BackendError, Connections, Observers},
    clock::{self, Clock, ClockNotSet, SystemClock, make_seed},
    config::Config,
    detection::{self, DetectionPolicies, DetectionPolicy, InvalidPolicy},
    http::{
        listener::{self, DescriptorReserve, Listener, OutOfDescriptors},
        routes::{self, AdminState, Guards},
    },
    json,
    limits::{self, InvalidLimits},
    observe::{
        self, AdminMetrics, ApiKeyMetrics, AttemptMetrics, AuditMetrics, ConnectionMetrics,
        DataKeyMetrics, FaultMetrics, LimitMetrics, PiiMetrics, WriteMetrics,
    },
    pipeline::{
        BodyAllowances, RequestsInFlight,
        failed_attempts::{AttemptObserver, FailedAttempts, TriedSecret},
        pii::PiiReports,
        services::Services,
    },
    quality,
    store::{AuditLog, Store, StoreError, Writer, WriterLimits},
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
    Backend(#[from] BackendError),
    #[error("a metric cannot be registered")]
    Metrics(#[from] MetricError),
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error(transparent)]
    Clock(#[from] ClockNotSet),
    #[error("the stored limits and detection policy cannot be read")]
    StoredPolicies(#[from] StoreError),
    #[error(
        "the limits that were set with `PUT /admin/limits` cannot be used; delete the row of \
         `limit_policies` to start with the defaults"
    )]
    InvalidLimits(#[from] InvalidLimits),
    #[error(
        "the detection policy that was set with `PUT /admin/detection` cannot be used; delete the row of \
         `detection_policy` to start with the defaults"
    )]
    InvalidDetection(#[from] InvalidPolicy),
    #[error("cannot listen on {address}: {kind}")]
    Listen {
        address: SocketAddr,
        kind: std::io::ErrorKind,
    },
}

/// A task of the service ended on its own, and without it requests would only fail.
#[derive(Debug, thiserror::Error)]
#[error("{0} ended, see the log; start the service again")]
pub(crate) struct ServiceTaskEnded(&'static str);

/// How long an orderly end may take. With what telemetry needs to flush, the process ends within
/// the ten seconds after which it would be killed.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// From one look at the database to the next.
const PING_EVERY: Duration = Duration::from_millis(500);

/// A service whose addresses are bound and whose background work runs.
pub(crate) struct App {
    services: Arc<Services>,
    admin: AdminState,
    connections: Connections,
    trace: HttpLayer,
    in_flight: RequestsInFlight,
    public_listener: Listener,
    admin_listener: Listener,
    addresses: Addresses,
    writing: ServiceTask,
    auditing: ServiceTask,
    following: ServiceTask,
    following_file: ServiceTask,
    pinging: ServiceTask,
    upkeep: ServiceTask,
}

impl App {
    /// Checks and opens everything, and binds the addresses last.
    pub(crate) async fn start(config: &Arc<Config>, telemetry: &Guard) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        clock::check(&*clock)?;
        descriptors::raise(config)?;
        try_addresses(config)?;
        // Opened before anything else.
        let reserve = DescriptorReserve::new(descriptors::RESERVE.into());
        let registry = telemetry.registry();
        let kek_provider = config.providers.kek.as_str();
        let observers = Observers {
            api_keys: Some(Arc::new(ApiKeyMetrics::register(registry)?)),
            data_keys: Some(Arc::new(DataKeyMetrics::register(registry, kek_provider)?)),
            limits: Some(Arc::new(LimitMetrics::register(
                registry,
                &config.providers.limits,
            )?)),
            faults: Some(Arc::new(FaultMetrics::register(registry)?)),
        };
        let backend = Backend::open(config, observers).await?;
        let connections = backend.connections();
        if let Some(given) = backend.store.limits().await? {
            let given = json::read(given.as_bytes()).unwrap_or_default();
            backend
                .limiter
                .replace_policies(limits::read(given)?.policies);
        }
        let detection = DetectionPolicies::new(detection_policy(config, &*backend.store).await?);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let (writer, write_groups) = Writer::new(
            Arc::clone(&backend.store),
            WriterLimits::default(),
            Arc::clone(&clock),
            Arc::new(WriteMetrics::register(registry)?),
        );
        let (audit, note_refusals) = AuditLog::new(
            writer.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::new(AuditMetrics::register(registry)?),
        );
        let quality = quality::build(&config.schemas, telemetry.redactor(), make_seed(&*entropy)?);
        let bodies = BodyAllowances::new();
        let in_flight = RequestsInFlight::new(PUBLIC_IN_FLIGHT);
        observe::register(registry, &quality, &writer)?;
        observe::register_shares(registry, &in_flight, &bodies)?;
        observe::register_limit_stores(registry, &backend.limit_stores)?;
        let trace = HttpLayer::new(registry, |extensions| {
            extensions.get::<MatchedPath>().map(MatchedPath::as_str)
        })?;
        let writing = ServiceTask::spawn("the writer", write_groups);
        let auditing = ServiceTask::spawn("the audit log", note_refusals);
        let following =
            ServiceTask::spawn("the follower of revocations", backend.api_keys.follow());
        let pinging = ping_repeatedly(Arc::clone(&backend.store));
        let pinging = ServiceTask::spawn("the watch on the database", pinging);
        let upkeep = ServiceTask::spawn("the upkeep of shared limits", backend.upkeep.run());
        let data_keys = Arc::clone(&backend.data_keys);
        let pii = Arc::new(PiiMetrics::register(registry)?);
        let attempts: Arc<dyn AttemptObserver> = Arc::new(AttemptMetrics::register(registry)?);
        let failures =
            |secret, limiter| FailedAttempts::new(secret, limiter, Arc::clone(&attempts));
        let failed_tokens = failures(TriedSecret::AdminToken, backend.failed_admin_tokens);
        let services = Arc::new(Services {
            failed_keys: failures(TriedSecret::ApiKey, backend.failed_api_keys),
            pii: PiiReports::new(pii, Arc::clone(&clock)),
            clock,
            entropy,
            keys: backend.api_keys,
            keyring: backend.keyring,
            index_roots: backend.index_roots,
            detector: Detector::standard(),
            detection,
            limiter: backend.limiter,
            quality,
            schemas: Arc::clone(&config.schemas),
            store: backend.store,
            writer,
            audit,
            bodies,
        });
        let components = Components {
            data_keys,
            api_keys: backend.key_store,
            limits: backend.limit_stores,
            kek_provider,
            exports_traces: telemetry.has_exporter(),
        };
        let observer = Arc::new(AdminMetrics::register(registry)?);
        let detection_file = config.detection.as_ref().map(|given| given.file.clone());
        let remote_parent = if telemetry.propagates() {
            RemoteParent::Link
        } else {
            RemoteParent::Ignore
        };
        let admin = AdminState {
            use_cases: UseCases::new(&services, components, detection_file, observer),
            registry: registry.clone(),
            config: Arc::clone(config),
            failed_tokens,
        };
        let rules = admin.use_cases.detection.clone();
        let following_file =
            ServiceTask::spawn("the watch on the detection policy", rules.follow());
        let network = &config.network;
        let connection_metrics = Arc::new(ConnectionMetrics::register(registry)?);
        let limits = |connections: u16| listener::Limits {
            connections: connections.into(),
            keep_alive: network.keep_alive,
            ..listener::Limits::default()
        };
        let proxies = network.trusted_proxies.clone();
        let bounds = limits(network.max_connections.get());
        let public_listener = bind(network.listen, bounds, proxies).await?;
        let public_listener = public_listener
            .with_reserve(OutOfDescriptors::Wait(reserve.clone()))
            .with_observer(Arc::clone(&connection_metrics) as _);
        let proxies = TrustedProxies::none();
        let admin_listener = bind(
            network.admin_listen,
            limits(descriptors::ADMIN_CONNECTIONS),
            proxies,
        );
        let admin_listener = admin_listener
            .await?
            .with_reserve(OutOfDescriptors::UseReserve(reserve))
            .with_observer(connection_metrics);
        let addresses = Addresses {
            public: address(&public_listener)?,
            admin: address(&admin_listener)?,
        };
        Ok(Self {
            services,
            admin,
            connections,
            trace: trace.with_remote_parent(remote_parent),
            in_flight,
            public_listener,
            admin_listener,
            addresses,
            writing,
            auditing,
            following,
            following_file,
            pinging,
            upkeep,
        })
    }

    pub(crate) const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The API keys, as requests check them.
    pub(crate) fn keys(&self) -> &ApiKeyCache {
        &self.services.keys
    }

    /// The API keys, as operators manage them.
    pub(crate) const fn api_keys(&self) -> &ApiKeys {
        &self.admin.use_cases.api_keys
    }

    /// Serves until `stop` resolves. Then: nothing new is accepted, requests in flight are
    /// answered, what is queued is written, and the database is closed, all of it by one deadline.
    ///
    /// # Errors
    /// A task of the service ended before; the rest is taken down in the same way.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServiceTaskEnded> {
        let Self {
            services,
            admin: state,
            connections,
            trace,
            mut writing,
            mut auditing,
            mut following,
            mut following_file,
            mut pinging,
            mut upkeep,
            ..
        } = self;
        let (stop_serving, stopped) = watch::channel(false);
        let public = routes::public(
            Arc::clone(&services),
            Guards::new(self.in_flight, Arc::clone(&services.clock), trace.clone()),
        );
        let public = self.public_listener.serve(public, stopped.clone());
        let mut public = ServiceTask::spawn("the public listener", public);
        let in_flight = RequestsInFlight::new(ADMIN_IN_FLIGHT);
        let guards = Guards::new(in_flight, Arc::clone(&services.clock), trace);
        let admin = routes::admin(state.clone(), guards);
        let admin = self.admin_listener.serve(admin, stopped);
        let mut admin = ServiceTask::spawn("the admin listener", admin);

        let tasks = [
            &mut public,
            &mut admin,
            &mut writing,
            &mut auditing,
            &mut following,
            &mut following_file,
            &mut pinging,
            &mut upkeep,
        ];
        let outcome = tokio::select! {
            () = stop => Ok(()),
            name = first_ended(tasks) => Err(ServiceTaskEnded(name)),
        };
        tracing::info!("stopping: requests in flight are answered first");
        state.use_cases.readiness.drain();
        stop_serving.send_replace(true);
        let orderly_end = async {
            tokio::join!(public.ended(), admin.ended());
            drop((following, following_file, pinging, upkeep));
            // The writers end when nobody can queue any more.
            drop((services, state));
            auditing.ended().await;
            writing.ended().await;
            connections.close().await;
        };
        match tokio::time::timeout(SHUTDOWN, orderly_end).await {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!("stopped; what still went on was cut off"),
        }
        outcome
    }
}

/// The policy to begin with: the file's, if there is one, or what was remembered.
async fn detection_policy(
    config: &Config,
    store: &dyn Store,
) -> Result<DetectionPolicy, StartError> {
    let remembered = store.detection().await?;
    match (&config.detection, remembered) {
        (Some(given), remembered) => {
            if remembered.is_some() {
                tracing::warn!(
                    "`INGEST_DETECTION_FILE` is set: the detection policy in the database, set \
                     while there was no file, does not hold"
                );
            }
            Ok(given.policy.clone())
        }
        (None, Some(remembered)) => {
            let remembered = json::read(remembered.as_bytes()).unwrap_or_default();
            Ok(detection::read_stored(remembered)?)
        }
        (None, None) => Ok(DetectionPolicy::default()),
    }
}

/// Finds what is wrong with the database also while nobody asks anything of it.
async fn ping_repeatedly(store: Arc<dyn Store>) {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        let span = tracing::info_span!(parent: None, "watch_database");
        // What it finds is remembered and told by the store itself.
        drop(store.ping().instrument(span).await);
    }
}

/// Whether the addresses are free, before a folder or a file is made. They are let go again, so that
/// nothing connects to a service that is not ready.
pub(crate) fn try_addresses(config: &Config) -> Result<(), StartError> {
    let network = &config.network;
    let bind = |address| TcpListener::bind(address).map_err(|error| listen(address, &error));
    // Both at once: they may be one address.
    let _public = bind(network.listen)?;
    let _admin = bind(network.admin_listen)?;
    Ok(())
}

async fn bind(
    address: SocketAddr,
    limits: listener::Limits,
    proxies: TrustedProxies,
) -> Result<Listener, StartError> {
    let listener = Listener::bind(address, limits, proxies).await;
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
