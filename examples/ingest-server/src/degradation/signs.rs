//! Where it shows that a part is degraded.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::ApiKeyCache;
use portcullis_telemetry::{BackgroundTask, Losses};
use tokio::time;

use super::{Degradations, DegradedPart, KekCalls};
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

/// For how long telemetry is incomplete after something of it was lost.
const AFTER_LOSS: Duration = Duration::from_secs(60);

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

/// For how long entries of the audit log may be in no checkpoint.
const UNPUBLISHED: Duration = Duration::from_secs(5 * 60);

/// What was seen before, of what shows by its change alone.
#[derive(Debug)]
struct Seen {
    /// What telemetry has lost, and when it last became more.
    lost: u64,
    lost_at: Option<Duration>,
    /// What the audit log has published, and since when there is more than that.
    published: u64,
    unpublished: Option<Duration>,
}

impl Signs {
    /// Looks again and again, and tells of each change, until it is dropped.
    pub(crate) async fn watch(self, degradations: Degradations) {
        let mut seen = Seen {
            lost: self.losses.total(),
            lost_at: None,
            published: 0,
            unpublished: None,
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
        DegradedPart::ALL.map(|part| match part {
            DegradedPart::LimitsFallback => limits_fall_back,
            DegradedPart::RevocationUnconfirmed => self.keys.stats().confirmed_for.is_zero(),
            DegradedPart::KeysCachedOnly => self.kek_calls.find_nobody(),
            DegradedPart::TelemetryLosing => self.telemetry_loses(seen),
            DegradedPart::AuditBehind => self.audit_is_behind(seen),
        })
    }

    async fn limits_fall_back(&self) -> bool {
        let health = time::timeout(TIMEOUT, self.limits.health()).await;
        !matches!(
            health,
            Ok(LimitsHealth::OwnMemory | LimitsHealth::Shared { .. })
        )
    }

    fn telemetry_loses(&self, seen: &mut Seen) -> bool {
        let (now, lost) = (self.clock.monotonic(), self.losses.total());
        if lost > seen.lost {
            seen.lost = lost;
            seen.lost_at = Some(now);
        }
        seen.lost_at
            .is_some_and(|at| now.saturating_sub(at) < AFTER_LOSS)
    }

    fn audit_is_behind(&self, seen: &mut Seen) -> bool {
        let (now, status) = (self.clock.monotonic(), self.audit.status().now());
        let sinks = self.sinks.states();
        if status.published > seen.published {
            seen.published = status.published;
            seen.unpublished = None;
        }
        let is_unpublished = status.size > status.published;
        seen.unpublished = seen.unpublished.or(Some(now)).filter(|_| is_unpublished);
        let since = seen.unpublished;
        !status.is_open
            || status.is_failing
            || since.is_some_and(|at| now.saturating_sub(at) > UNPUBLISHED)
            || self.audit.has_late_anchor()
            || sinks
                .iter()
                .any(|sink| sink.has_ended || sink.lag > SINK_LATE)
    }
}
