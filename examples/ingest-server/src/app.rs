//! Assembles the service from its crates, runs it, and takes it down in order.
//!
//! The lifecycle of a request, from the outside in: [`Listener`] (connections, time limits) →
//! [`crate::http::routes`] (security headers, panics, requests in flight) → the handler → the stages of
//! [`crate::pipeline`] → [`Writer`] (group commit) → [`crate::store::Store`].

mod audit_verification;
mod database_watch;
pub(crate) mod descriptors;
mod earlier_leads;
pub(crate) mod erasures;
mod listeners;
pub(crate) mod policies;
mod probe_rows;
mod quality_history;
mod recording;
mod rotation_schedule;
mod run;
mod service_task;
mod service_thread;
mod slo_history;
mod start_error;
pub(crate) mod telemetry;
mod unusable_keys;

use std::sync::Arc;

use axum::extract::MatchedPath;
use portcullis_apikey_cache::ApiKeyCache;
use portcullis_keyring::entropy::{Entropy, SystemEntropy};
use portcullis_pii_detect::Detector;
use portcullis_telemetry::{DatabaseDurations, Guard, HttpLayer, RemoteParent, Runtimes};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::runtime::Handle;

use self::{
    listeners::Listeners, recording::Recording, service_task::ServiceTask,
    service_thread::ServiceThread, telemetry::START,
};
use crate::{
    admin::{ApiKeys, Components, KeyMaterial, UseCases, Warming},
    backend::{
        AuditNode, Backend, Connections, MissingPeppers, Observers, OpenedAudit, RefusedLogs,
        SecretServices,
    },
    clock::{self, Clock, SystemClock, make_node, make_seed},
    config::Config,
    degradation::{Degradations, KekCalls, Signs},
    detection::DetectionPolicies,
    http::{listener::DescriptorReserve, routes::AdminState},
    limits::Limiters,
    observe::{
        self, AdminMetrics, ApiKeyMetrics, AttemptMetrics, AuditMetrics, CipherMetrics,
        ConnectionMetrics, DataKeyMetrics, FaultMetrics, LimitMetrics, ObjectiveMetrics,
        PiiMetrics, PolicyMetrics, SecretMetrics, StageMetrics, WriteMetrics,
    },
    pipeline::{
        BodyAllowances, ProbeTenant, RequestsInFlight,
        failed_attempts::{AttemptObserver, FailedAttempts, TriedSecret},
        key_checks::KeyChecks,
        pii::PiiReports,
        services::Services,
        stages::Stages,
    },
    quality,
    slo::SloRecorder,
    store::{Shredder, Writer, WriterLimits},
};

pub(crate) use self::{
    erasures::PrepareError,
    listeners::{Addresses, try_addresses},
    run::ServiceTaskEnded,
    start_error::StartError,
};

/// Requests that are worked on at once on the public listener.
const PUBLIC_IN_FLIGHT: usize = 512;

/// Who reads the audit log as it comes, at once.
const AUDIT_READERS: usize = 32;

/// A service whose addresses are bound and whose background work runs.
pub(crate) struct App {
    services: Arc<Services>,
    admin: AdminState,
    connections: Connections,
    trace: HttpLayer,
    degradations: Degradations,
    in_flight: RequestsInFlight,
    listeners: Listeners,
    writing: ServiceTask,
    auditing: ServiceTask,
    following: ServiceThread,
    /// The histories of data quality and of objectives.
    recordings: [Recording; 2],
    /// What nobody waits for at the end.
    background: Vec<ServiceTask>,
}

impl App {
    /// Checks and opens everything, binds the addresses last, and says that it has.
    pub(crate) async fn start(
        config: &Config,
        services: &SecretServices,
        telemetry: &Guard,
    ) -> Result<Self, StartError> {
        let start = async {
            let app = Self::assemble(config, services, telemetry).await?;
            telemetry::log_start(config, app.addresses());
            Ok(app)
        };
        START.run(start).await
    }

    async fn assemble(
        config: &Config,
        services: &SecretServices,
        telemetry: &Guard,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        clock::check(&*clock)?;
        descriptors::raise(config)?;
        try_addresses(config)?;
        // Opened before anything else.
        let reserve = DescriptorReserve::new(descriptors::RESERVE.into());
        let registry = telemetry.registry();
        let kek_provider = config.providers.kek.wraps.as_str();
        observe::register_build(registry, config.warnings.len())?;
        observe::register_volumes(registry, &config.data_dir)?;
        let objectives = Arc::new(ObjectiveMetrics::register(registry)?);
        let of_revocations = Arc::clone(&objectives);
        let api_key_metrics = Arc::new(ApiKeyMetrics::register(registry, of_revocations)?);
        let data_key_metrics = Arc::new(DataKeyMetrics::register(registry, kek_provider)?);
        let kek_calls = Arc::new(KekCalls::new(data_key_metrics, Arc::clone(&clock)));
        let observers = Observers {
            api_keys: Some(Arc::clone(&api_key_metrics) as _),
            data_keys: Some(Arc::clone(&kek_calls) as _),
            limits: Some(Arc::new(LimitMetrics::register(
                registry,
                &config.providers.limits,
            )?)),
            faults: Some(Arc::new(FaultMetrics::register(registry)?)),
            statements: Some(DatabaseDurations::register(registry)?),
            secrets: Some(Arc::new(SecretMetrics::register(registry)?)),
        };
        Backend::check_kek(config, services).await?;
        let backend = Backend::open(config, services, observers, MissingPeppers::Refuse).await?;
        let connections = backend.connections();
        let audit_metrics =
            AuditMetrics::register(registry, &config.audit.anchors, Arc::clone(&clock))?;
        let opening = Box::pin(backend.open_audit(
            config,
            AuditNode::Server,
            RefusedLogs::Refuse,
            &clock,
            Arc::new(audit_metrics),
        ));
        let OpenedAudit {
            log: audit,
            following: audit_following,
            run: write_audit,
        } = opening.await?;
        observe::register_audit_log(registry, &audit)?;
        observe::register_audit_following(registry, &audit_following)?;
        let tombstones = erasures::prepare(config, &backend).await?;
        let (limits, detection, starts) = policies::read(config, &*backend.store).await?;
        let limiters = Limiters::new(backend.limiter.clone(), backend.operators);
        limiters.replace(&limits);
        let detection = DetectionPolicies::new(detection);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let (writer, write_groups) = Writer::new(
            Arc::clone(&backend.store),
            WriterLimits::default(),
            Arc::clone(&clock),
            Arc::new(WriteMetrics::register(registry)?),
        );
        let quality = quality::build(&config.schemas, telemetry.redactor(), make_seed(&*entropy)?);
        let bodies = BodyAllowances::new();
        let in_flight = RequestsInFlight::new(PUBLIC_IN_FLIGHT);
        let history_writer = quality.history_writer(
            Arc::clone(&backend.quality_history),
            config.observability.quality_days,
            config.observability.quality_sample_days,
            &mut StdRng::from_seed(make_seed(&*entropy)?),
        );
        let slo_recorder = Arc::new(SloRecorder::new(
            make_node(&*entropy)?,
            Arc::clone(&objectives) as _,
            Arc::clone(&backend.slo_history),
            Arc::clone(&clock),
        ));
        observe::register(registry, &quality, &writer)?;
        observe::register_quality_history(registry, &history_writer)?;
        observe::register_shares(registry, &in_flight, &bodies)?;
        observe::register_key_cache(registry, &backend.api_keys)?;
        observe::register_limit_stores(registry, &backend.limit_stores)?;
        let shredder = Shredder::new(Arc::clone(&backend.store), Arc::clone(&clock));
        observe::register_erasures(registry, &tombstones, &shredder)?;
        observe::register_secrets(registry, &backend.secret_health)?;
        let trace = HttpLayer::new(registry, |extensions| {
            extensions.get::<MatchedPath>().map(MatchedPath::as_str)
        })?;
        let writing = ServiceTask::spawn("the writer", write_groups);
        let auditing = ServiceTask::spawn("the audit log", async {
            observe::audit_log_closed(write_audit.await);
        });
        let shredding = shredder.clone().run();
        let shredding = ServiceTask::spawn("the shredding of erased rows", shredding);
        let warming = Warming::default();
        let following = follow(&backend.api_keys, &warming)?;
        let runtimes = Runtimes::register(registry)?;
        runtimes.watch("main", &Handle::current());
        runtimes.watch("follower", following.runtime());
        let following_indexes = backend.index_roots.follow();
        let following_indexes =
            ServiceTask::spawn("the watch on the index versions", following_indexes);
        let refreshing = backend.secret_refresh.run();
        let refreshing = ServiceTask::spawn("the watch on the secrets", refreshing);
        let forgetting = unusable_keys::forget(backend.keyring.clone());
        let forgetting = ServiceTask::spawn("the watch on unusable data keys", forgetting);
        let indexing = earlier_leads::index(
            Arc::clone(&backend.store),
            backend.keyring.clone(),
            backend.index_roots.clone(),
        );
        let indexing = ServiceTask::spawn("the indexing of earlier leads", indexing);
        let pinging = database_watch::ping(Arc::clone(&backend.store));
        let pinging = ServiceTask::spawn("the watch on the database", pinging);
        let upkeep = ServiceTask::spawn("the upkeep of shared limits", backend.upkeep.run());
        let data_keys = Arc::clone(&backend.data_keys);
        let pii = Arc::new(PiiMetrics::register(registry)?);
        let attempts: Arc<dyn AttemptObserver> = Arc::new(AttemptMetrics::register(registry)?);
        let failures = |secret, limiter| {
            FailedAttempts::new(secret, limiter, Arc::clone(&attempts), audit.clone())
        };
        let failed_tokens = failures(TriedSecret::AdminToken, backend.failed_admin_tokens);
        let services = Arc::new(Services {
            failed_keys: failures(TriedSecret::ApiKey, backend.failed_api_keys),
            objectives,
            pii: PiiReports::new(pii, Arc::clone(&clock)),
            stages: Stages::new(
                Arc::clone(&clock),
                Arc::new(StageMetrics::register(registry)?),
            ),
            key_checks: KeyChecks::new(
                backend.api_keys.clone(),
                Arc::clone(&clock),
                api_key_metrics,
            ),
            clock,
            entropy,
            keys: backend.api_keys,
            keyring: backend.keyring,
            cipher_observer: Arc::new(CipherMetrics::register(registry)?),
            index_roots: backend.index_roots,
            detector: Detector::standard(),
            reason_codes: config.audit.reasons.clone(),
            detection,
            limiter: backend.limiter,
            quality,
            probe: ProbeTenant::new(config.observability.probe_tenant.clone()),
            schemas: Arc::clone(&config.schemas),
            unique_fields: config.unique_lead_fields.clone(),
            store: backend.store,
            writer,
            shredder,
            audit,
            tombstones,
            bodies,
        });
        let keys = KeyMaterial {
            keyring: services.keyring.clone(),
            store: Arc::clone(&data_keys),
            kek: backend.kek,
            sweeps: Arc::clone(&services.store) as _,
            secrets: Arc::clone(&services.store),
            index_roots: services.index_roots.clone(),
        };
        let degradations = Degradations::default();
        observe::register_degradations(registry, &degradations)?;
        let signs = Signs {
            limits: Arc::clone(&backend.limit_stores),
            keys: services.keys.clone(),
            kek_calls,
            losses: telemetry.losses().clone(),
            audit: services.audit.clone(),
            sinks: audit_following.deliveries.clone(),
            clock: Arc::clone(&services.clock),
        };
        let watching = signs.watch(degradations.clone());
        let watching = ServiceTask::spawn("the watch on degraded parts", watching);
        let audit_leadership = audit_following.leadership;
        let components = Components {
            data_keys,
            api_keys: backend.key_store,
            warming,
            limits: backend.limit_stores,
            quality_history: backend.quality_history,
            slo_recorder: Arc::clone(&slo_recorder),
            kek_provider,
            secrets: backend.secret_health,
            audit_sinks: audit_following.deliveries,
            exports_traces: telemetry.has_exporter(),
            degradations: degradations.clone(),
        };
        let observer = Arc::new(AdminMetrics::register(registry)?);
        let policies = Arc::new(PolicyMetrics::register(registry)?);
        let remote_parent = if telemetry.propagates() {
            RemoteParent::Link
        } else {
            RemoteParent::Ignore
        };
        let admin = AdminState {
            use_cases: UseCases::new(
                &services, keys, components, limiters, starts, observer, policies,
            ),
            registry: registry.clone(),
            admin_token: backend.live.admin_token,
            failed_tokens,
            audit_readers: RequestsInFlight::new(AUDIT_READERS),
        };
        observe::register_rotations(
            registry,
            admin.use_cases.data_keys.census(),
            &admin.use_cases.reencryption.progress(),
            &services.index_roots,
            kek_provider,
        )?;
        let rotating = rotation_schedule::run(
            admin.use_cases.data_keys.clone(),
            config.data_key_period,
            Arc::clone(&services.entropy),
        );
        let rotating = ServiceTask::spawn("the schedule of rotations", rotating);
        let deleting = probe_rows::delete(
            admin.use_cases.probe_rows.clone(),
            config.observability.probe_tenant.clone(),
        );
        let deleting = ServiceTask::spawn("the deletion of what the probe wrote", deleting);
        let verifications = admin.use_cases.audit.verifications();
        observe::register_audit_verification(registry, verifications.tally())?;
        let verifying = audit_verification::run(verifications.clone(), audit_leadership);
        let verifying = ServiceTask::spawn("the verification of the audit log", verifying);
        let counting = admin.use_cases.data_keys.census().clone().run();
        let counting = ServiceTask::spawn("the count of data keys", counting);
        let (limits, rules) = (&admin.use_cases.limits, &admin.use_cases.detection);
        let following_limits = limits.clone().follow();
        let following_rules = rules.clone().follow();
        let following_limits = ServiceTask::spawn("the watch on the limits", following_limits);
        let following_rules =
            ServiceTask::spawn("the watch on the detection policy", following_rules);
        let connection_metrics = Arc::new(ConnectionMetrics::register(registry)?);
        let listeners = Listeners::bind(config, reserve, connection_metrics).await?;
        Ok(Self {
            services,
            admin,
            connections,
            trace: trace.with_remote_parent(remote_parent),
            degradations,
            in_flight,
            listeners,
            writing,
            auditing,
            following,
            recordings: [
                quality_history::record(history_writer),
                slo_history::record(slo_recorder),
            ],
            background: vec![
                following_limits,
                following_rules,
                following_indexes,
                refreshing,
                forgetting,
                shredding,
                indexing,
                counting,
                rotating,
                deleting,
                verifying,
                watching,
                pinging,
                upkeep,
            ],
        })
    }

    pub(crate) const fn addresses(&self) -> Addresses {
        self.listeners.addresses
    }

    /// The API keys, as requests check them.
    pub(crate) fn keys(&self) -> &ApiKeyCache {
        &self.services.keys
    }

    /// The API keys, as operators manage them.
    pub(crate) const fn api_keys(&self) -> &ApiKeys {
        &self.admin.use_cases.api_keys
    }
}

/// Learns of changes of API keys that other processes make, on a thread of its own: a flood of requests must
/// not delay a revocation. What was used of late is loaded as soon as it does.
fn follow(keys: &ApiKeyCache, warming: &Warming) -> Result<ServiceThread, StartError> {
    let (following, warming) = (keys.follow(), warming.clone().run(keys.clone()));
    let work = async {
        tokio::join!(following, warming);
    };
    let keys = keys.clone();
    let at_end = async move { keys.leave().await };
    let thread = ServiceThread::spawn("the follower of revocations", work, at_end);
    thread.map_err(|error| StartError::Thread(error.kind()))
}

#[cfg(test)]
mod metrics_page;
