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

/// What telemetry has lost, as far as it was seen.
#[derive(Debug)]
struct Seen {
    lost: u64,
    /// When it last became more.
    lost_at: Option<Duration>,
}

impl Signs {
    /// Looks again and again, and tells of each change, until it is dropped.
    pub(crate) async fn watch(self, degradations: Degradations) {
        let mut seen = Seen {
            lost: self.losses.total(),
            lost_at: None,
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
            DegradedPart::AuditBehind => self.audit_is_behind(),
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
            *seen = Seen {
                lost,
                lost_at: Some(now),
            };
        }
        seen.lost_at
            .is_some_and(|at| now.saturating_sub(at) < AFTER_LOSS)
    }

    fn audit_is_behind(&self) -> bool {
        let status = self.audit.status().now();
        let sinks = self.sinks.states();
        !status.is_open
            || status.is_failing
            || self.audit.has_late_anchor()
            || sinks
                .iter()
                .any(|sink| sink.has_ended || sink.lag > SINK_LATE)
    }
}
