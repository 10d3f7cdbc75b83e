//! Changes of API keys: what told of them, and when they were in effect everywhere.

use std::sync::Arc;

use portcullis_apikey_cache::{
    EffectiveBy,
    observer::{BusTask, ChangeName, Event, Origin},
};
use portcullis_telemetry::{
    BoundedFamily, Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use crate::observe::{SMALL, objectives::ObjectiveMetrics};

/// Counts changes by what told of them, and what the bus did.
#[derive(Debug)]
pub(super) struct ChangeMetrics {
    invalidations: BoundedFamily<2, Counter>,
    acknowledged_seconds: Histogram,
    leases_seconds: Histogram,
    told: Counter,
    heard: Counter,
    not_told: Counter,
    not_heard: Counter,
    objectives: Arc<ObjectiveMetrics>,
}

/// Around a round trip to Redis, a reading of the outbox, and the three seconds that it takes at most.
const EFFECTIVE_SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.5, 0.75, 1.0, 2.0, 3.5,
];

const EFFECTIVE_BY: [&str; 2] = ["acknowledged", "leases_expired"];
const DIRECTIONS: [&str; 2] = ["told", "heard"];
const TASKS: [&str; 2] = ["tell", "listen"];

impl ChangeMetrics {
    pub(super) fn register(
        registry: &Registry,
        objectives: Arc<ObjectiveMetrics>,
    ) -> Result<Self, MetricError> {
        let effective = registry.histogram_family(
            "apikey_revocation_effective_seconds",
            "From the commit of a revocation over HTTP, or of a rotation without overlap, until no process \
             accepted the key any more, by how that is known",
            [Label::closed("by", EFFECTIVE_BY)],
            Buckets::new(EFFECTIVE_SECONDS),
            SMALL,
        )?;
        let changes = registry.counter_family(
            "apikey_bus_changes",
            "Changes of API keys on Redis: told by this process, and heard before they were read",
            [Label::closed("direction", DIRECTIONS)],
            SMALL,
        )?;
        let failures = registry.counter_family(
            "apikey_bus_failures",
            "Times that Redis stopped carrying changes of API keys, by what it was asked for",
            [Label::closed("task", TASKS)],
            SMALL,
        )?;
        let [acknowledged_seconds, leases_seconds] = EFFECTIVE_BY.map(|by| effective.with([by]));
        let [told, heard] = DIRECTIONS.map(|direction| changes.with([direction]));
        let [not_told, not_heard] = TASKS.map(|task| failures.with([task]));
        let sources = [Origin::Own, Origin::Feed, Origin::Bus].map(Origin::as_str);
        let kinds = [
            ChangeName::Record,
            ChangeName::Key,
            ChangeName::Tenant,
            ChangeName::All,
        ];
        let kinds = kinds.map(ChangeName::as_str);
        Ok(Self {
            invalidations: registry.counter_family(
                "apikey_invalidations",
                "Changes by which API keys are read again, by what told of them first",
                [
                    Label::closed("source", sources),
                    Label::closed("kind", kinds),
                ],
                SMALL,
            )?,
            acknowledged_seconds,
            leases_seconds,
            told,
            heard,
            not_told,
            not_heard,
            objectives,
        })
    }

    pub(super) fn observe(&self, event: &Event) {
        match event {
            Event::Applied { origin, kind } => {
                let labels = [origin.as_str(), kind.as_str()];
                self.invalidations.with(labels).inc();
            }
            Event::Effective { took, how } => {
                let seconds = match how {
                    EffectiveBy::Acknowledged => &self.acknowledged_seconds,
                    _ => &self.leases_seconds,
                };
                seconds.observe(took.as_secs_f64());
                self.objectives.revoked(*took, *how);
            }
            Event::BusTold { changes } => {
                self.told.inc_by(*changes);
            }
            Event::BusHeard { changes } => {
                self.heard.inc_by(*changes);
            }
            // Told by the bus, which knows the cause.
            Event::BusFailed(task) => {
                let counter = match task {
                    BusTask::Tell => &self.not_told,
                    _ => &self.not_heard,
                };
                counter.inc();
            }
            _ => {}
        }
    }
}
