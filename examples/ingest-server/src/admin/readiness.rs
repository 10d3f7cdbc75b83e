//! Whether the process can take requests, component by component.

mod audit_sinks;
mod component;
mod degraded;
mod key_cache;
mod secrets;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_apikey_cache::store::KeyStore;
use portcullis_dq_metrics::history::QualityHistory;
use portcullis_keyring::store::DekStore;
use serde::Serialize;

use self::{
    component::{Component, State, milliseconds},
    degraded::Degraded,
};
use super::{KeyCensus, Warming};
use crate::{
    backend::{LimitStores, LimitsHealth, SecretHealth},
    degradation::Degradations,
    delivery::Deliveries,
    pipeline::services::Services,
    slo::SloRecorder,
    store::{DatabaseFault, StoreError},
};

/// Asks every component.
#[derive(Debug, Clone)]
pub(crate) struct ReadinessCheck {
    services: Arc<Services>,
    components: Components,
    census: KeyCensus,
    draining: Arc<AtomicBool>,
}

/// What readiness asks, and use cases of operators read, beside what requests work with.
#[derive(Debug, Clone)]
pub(crate) struct Components {
    pub(crate) data_keys: Arc<dyn DekStore>,
    pub(crate) api_keys: Arc<dyn KeyStore>,
    pub(crate) warming: Warming,
    pub(crate) limits: Arc<LimitStores>,
    pub(crate) quality_history: Arc<dyn QualityHistory>,
    pub(crate) slo_recorder: Arc<SloRecorder>,
    pub(crate) kek_provider: &'static str,
    pub(crate) secrets: SecretHealth,
    pub(crate) audit_sinks: Deliveries,
    pub(crate) exports_traces: bool,
    pub(crate) degradations: Degradations,
}

/// What the process can do, and, where that is not everything, what to do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Readiness {
    status: &'static str,
    /// As it was seen last; what is asked below is of now.
    degraded: Vec<Degraded>,
    components: Answers,
}

#[derive(Debug, Clone, Serialize)]
struct Answers {
    process: Component,
    database: Component,
    write_queue: Component,
    audit_log: Component,
    audit_sinks: Component,
    api_keys: Component,
    api_key_cache: Component,
    data_keys: Component,
    erasures: Component,
    secrets: Component,
    limits: Component,
    traces: Component,
}

/// How long a component may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

impl ReadinessCheck {
    pub(crate) fn new(services: Arc<Services>, components: Components, census: KeyCensus) -> Self {
        Self {
            services,
            components,
            census,
            draining: Arc::default(),
        }
    }

    /// From now on the service is not ready, so that nothing new is sent to it.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Asks every component, all at the same time.
    pub(crate) async fn run(&self) -> Readiness {
        let (database, audit_log, api_keys, data_keys, limits, erasures) = tokio::join!(
            self.database(),
            self.audit_log(),
            self.api_keys(),
            self.data_keys(),
            self.limits(),
            self.erasures()
        );
        let components = Answers {
            process: self.process(),
            database,
            write_queue: self.write_queue(),
            audit_log,
            audit_sinks: audit_sinks::component(&self.components.audit_sinks),
            api_keys,
            api_key_cache: key_cache::component(&self.services.keys, &self.components.warming),
            data_keys,
            erasures,
            secrets: secrets::component(&self.components.secrets),
            limits,
            traces: self.traces(),
        };
        let status = if components.are_ready() {
            "ready"
        } else {
            "not ready"
        };
        let degraded = self.components.degradations.now();
        Readiness {
            status,
            degraded: degraded.into_iter().map(Degraded::from).collect(),
            components,
        }
    }

    fn process(&self) -> Component {
        if self.draining.load(Ordering::Relaxed) {
            let action = "send new requests to another instance";
            Component::new(State::Draining).with_action(action)
        } else {
            Component::new(State::Up)
        }
    }

    /// Degraded by one failed commit, of events or of the audit log: not ready would keep out the request
    /// that succeeds. Down once a second attempt failed too; who writes then goes on trying.
    async fn database(&self) -> Component {
        let store = &self.services.store;
        let tried = async {
            store.ping().await?;
            store.check().await
        };
        let (answer, latency) = self.ask(tried).await;
        let failures = self.services.writer.gauge().failures();
        let component = match (answer, failures) {
            (Some(Err(StoreError::Fault(fault))), _) => {
                Component::new(State::Down).with_action(fault.action())
            }
            (Some(Err(StoreError::Corrupt(_))), _) => {
                Component::new(State::Down).with_action(DatabaseFault::Corrupt.action())
            }
            (Some(Err(StoreError::Table { table, .. })), _) => {
                let action = format!(
                    "the table `{table}` is missing, altered or cannot be written: undo that, or \
                     stop the service and restore a backup"
                );
                Component::new(State::Down).with_action(action)
            }
            (Some(Err(_)) | None, _) => {
                let action = "check that the database file and its volume can be read and written";
                Component::new(State::Down).with_action(action)
            }
            (Some(Ok(())), 0) if self.services.pii.found_tampering_lately() => {
                let action = "stored values were found that are not what was written: see the log, \
                              overwrite nothing, find out who writes to the database";
                Component::new(State::Degraded).with_action(action)
            }
            (Some(Ok(())), 0) => Component::new(State::Up),
            (Some(Ok(())), 1) => {
                let action =
                    "the last commit failed: free space on the volume, or end what holds the file";
                Component::new(State::Degraded).with_action(action)
            }
            (Some(Ok(())), _) => {
                let action = "commits keep failing: free space on the volume, or end what holds \
                              the file; ready again by itself once one succeeds";
                Component::new(State::Down).with_action(action)
            }
        };
        component.with_latency(latency)
    }

    /// Never down: all but erasures goes on without it.
    async fn erasures(&self) -> Component {
        let Services {
            tombstones, store, ..
        } = &*self.services;
        if tombstones.is_usable(&**store).await {
            return Component::new(State::Up);
        }
        let action = "nobody can be erased: see that the file of erasures is there, that its owner can write it and \
                      that all processes of the database have the same one; put back its newest copy if it is gone";
        Component::new(State::Degraded).with_action(action)
    }

    /// Never down: what need not be on record before it is done goes on.
    async fn audit_log(&self) -> Component {
        let audit = &self.services.audit;
        // Where nothing is written for a while, nobody else would notice that it is gone.
        let (answer, _) = self.ask(async { audit.reading().size().await }).await;
        let (status, was_damaged) = (audit.status().now(), audit.status().was_damaged());
        if status.is_open && !status.is_failing && matches!(answer, Some(Ok(_))) {
            if was_damaged {
                let action = "somebody has deleted, cut or overwritten files of the log; nothing that was acknowledged \
                              is lost: find out who did, and take `damaged` out of the folder of the log";
                return Component::new(State::Degraded).with_action(action);
            }
            return Component::new(State::Up);
        }
        let action = if status.is_open {
            "personal data is shown to nobody and operators change nothing until the log can be written: free space on \
             its volume, put its files back, or end what holds them; it goes on by itself"
        } else {
            "personal data is shown to nobody and operators change nothing: see the log of the service"
        };
        Component::new(State::Degraded).with_action(action)
    }

    fn write_queue(&self) -> Component {
        let queue = self.services.writer.gauge();
        let room = queue.room();
        let component = if room.free_rows() > 0 && room.free_bytes() > 0 {
            Component::new(State::Up)
        } else {
            let action = "wait, or find what slows the database down";
            Component::new(State::Full).with_action(action)
        };
        Component {
            free_rows: Some(room.free_rows()),
            rows: Some(room.rows()),
            ..component
        }
    }

    /// Keys that are not cached are read from the store.
    async fn api_keys(&self) -> Component {
        let (answer, latency) = self.ask(self.components.api_keys.check()).await;
        if matches!(answer, Some(Ok(()))) {
            Component::new(State::Up)
        } else {
            let action = "check the tables of API keys (`apikey_cache_…`): one is missing, altered or \
                          cannot be written; keys that are not cached are refused, and none is \
                          issued or revoked";
            Component::new(State::Down)
                .with_action(action)
                .with_latency(latency)
        }
    }

    /// Whether the tables of data keys can be read and written. The provider of key-encryption keys is only named.
    async fn data_keys(&self) -> Component {
        let (answer, latency) = self.ask(self.components.data_keys.check()).await;
        let damaged = self.census.last().map_or(0, |census| census.damaged);
        let component = if matches!(answer, Some(Ok(()))) && damaged > 0 {
            // Of some tenants: the others go on.
            let action = format!(
                "what {damaged} data keys sealed does not open, as they are damaged: `keys list` names them; restore \
                 their rows from a backup"
            );
            Component::new(State::Degraded).with_action(action)
        } else if matches!(answer, Some(Ok(()))) {
            Component::new(State::Up)
        } else {
            let action = "check the tables of data keys (`keyring_…`): one is missing, altered or cannot \
                          be written; nothing can be sealed or opened without them";
            Component::new(State::Down)
                .with_action(action)
                .with_latency(latency)
        };
        Component {
            kek: Some(self.components.kek_provider),
            ..component
        }
    }

    /// Never down: without Redis the limits hold less exactly, and they hold.
    async fn limits(&self) -> Component {
        match self.components.limits.health().await {
            LimitsHealth::OwnMemory => Component::new(State::Up),
            LimitsHealth::Shared { latency } => Component::new(State::Up).with_latency(latency),
            LimitsHealth::Fallback { nodes } => {
                let action = format!(
                    "limits are counted per process, at half the rate divided by {nodes} (the expected \
                     processes), until Redis answers; check that it runs, can be reached with the \
                     configured URL and password, can be written, and has memory: the log says how it failed"
                );
                Component::new(State::Degraded).with_action(action)
            }
            LimitsHealth::Unwritten { nodes } => {
                let action = format!(
                    "Redis answers and takes no heartbeat of this process, so that requests would be counted \
                     per process, at half the rate divided by {nodes} (the expected processes); check that \
                     it is no replica, that the configured user may write, and has memory: the log says how \
                     it failed"
                );
                Component::new(State::Degraded).with_action(action)
            }
        }
    }

    /// Whether the collector takes the spans is in `telemetry_spans_exported_total`.
    fn traces(&self) -> Component {
        Component::new(if self.components.exports_traces {
            State::Configured
        } else {
            State::Off
        })
    }

    /// What a component answers in time, and how long it took.
    async fn ask<T, E>(
        &self,
        question: impl Future<Output = Result<T, E>>,
    ) -> (Option<Result<T, E>>, Duration) {
        let clock = &self.services.clock;
        let asked = clock.monotonic();
        let answer = tokio::time::timeout(TIMEOUT, question).await;
        let latency = clock.monotonic().saturating_sub(asked);
        (answer.ok(), latency)
    }
}

impl Readiness {
    pub(crate) fn is_ready(&self) -> bool {
        self.components.are_ready()
    }
}

impl Answers {
    /// Whether each can do its part of a request.
    fn are_ready(&self) -> bool {
        let Self {
            process,
            database,
            write_queue,
            audit_log,
            audit_sinks,
            api_keys,
            api_key_cache,
            data_keys,
            erasures,
            secrets,
            limits,
            traces,
        } = self;
        let all = [
            process,
            database,
            write_queue,
            audit_log,
            audit_sinks,
            api_keys,
            api_key_cache,
            data_keys,
            erasures,
            secrets,
            limits,
            traces,
        ];
        let unready = [State::Draining, State::Warming, State::Down, State::Full];
        !all.iter().any(|one| unready.contains(&one.state))
    }
}
