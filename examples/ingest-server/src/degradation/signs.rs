//! Where it shows that a part is degraded.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::ApiKeyCache;
use portcullis_telemetry::{BackgroundTask, Losses};
use tokio::time;

use super::{
    Degradations, DegradedPart, KekCalls,
    seen::{SeenLosses, SeenPublished},
};
use crate::{
    audit::AuditLog,
    backend::{LimitStores, LimitsHealth},
    clock::Clock,
    delivery::Deliveries,
};

const TASK: BackgroundTask = BackgroundTask::new("watch_degradation");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(2);

/// How long a part may take to answer. What does not is degraded.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How far a sink of the audit log may be behind.
const SINK_LATE: Duration = Duration::from_secs(10 * 60);

/// What is looked at.
pub(crate) struct Signs {
    pub(crate) limits: Arc<LimitStores>,
    pub(crate) keys: ApiKeyCache,
    pub(crate) kek_calls: Arc<KekCalls>,
    pub(crate) losses: Losses,
    pub(crate) audit: AuditLog,
    pub(crate) sinks: Deliveries,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What was seen before.
#[derive(Debug)]
struct Seen {
    losses: SeenLosses,
    published: SeenPublished,
}

impl Signs {
    /// Looks again and again, and tells of each change, until it is dropped.
    pub(crate) async fn watch(self, degradations: Degradations) {
        let mut seen = Seen {
            losses: SeenLosses::of(self.losses.total()),
            published: SeenPublished::default(),
        };
        loop {
            // At the start nothing is confirmed yet.
            time::sleep(EVERY).await;
            TASK.run(async {
                let degraded = self.look(&mut seen).await;
                for change in degradations.seen(degraded, self.clock.wall()) {
                    let what = change.part.as_str();
                    if change.is_degraded {
                        tracing::warn!(what, "a part of the service is degraded");
                    } else {
                        tracing::info!(what, "a part of the service is no longer degraded");
                    }
                }
            })
            .await;
        }
    }

    /// Whether each part is degraded, in the order of [`DegradedPart::ALL`].
    async fn look(&self, seen: &mut Seen) -> [bool; DegradedPart::ALL.len()] {
        let limits_fall_back = self.limits_fall_back().await;
        let now = self.clock.monotonic();
        DegradedPart::ALL.map(|part| match part {
            DegradedPart::LimitsFallback => limits_fall_back,
            DegradedPart::RevocationUnconfirmed => self.keys.stats().confirmed_for.is_zero(),
            DegradedPart::KeysCachedOnly => self.kek_calls.find_nobody(),
            DegradedPart::TelemetryLosing => seen.losses.are_recent(self.losses.total(), now),
            DegradedPart::AuditBehind => self.audit_is_behind(&mut seen.published, now),
        })
    }

    async fn limits_fall_back(&self) -> bool {
        let health = time::timeout(TIMEOUT, self.limits.health()).await;
        !matches!(
            health,
            Ok(LimitsHealth::OwnMemory | LimitsHealth::Shared { .. })
        )
    }

    fn audit_is_behind(&self, seen: &mut SeenPublished, now: Duration) -> bool {
        let (status, sinks) = (self.audit.status().now(), self.sinks.states());
        let is_unpublished = seen.is_late(status.size, status.published, now);
        is_unpublished
            || !status.is_open
            || status.is_failing
            || self.audit.has_late_anchor()
            || sinks
                .iter()
                .any(|sink| sink.has_ended || sink.lag > SINK_LATE)
    }
}
