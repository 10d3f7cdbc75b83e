//! What happens between this process and the Redis that it counts limits on.

use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_ratelimit::observer::{BreakerState, Event, RoundTripEnd};
use portcullis_telemetry::{
    Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use crate::observe::{SMALL, in_span};

/// Counts round trips and what was admitted without any; an outage is two lines in the log.
#[derive(Debug)]
pub(super) struct SharedLimitMetrics {
    seconds: Histogram,
    answered: Counter,
    timed_out: Counter,
    failed: Counter,
    crowded: Counter,
    fallback_admitted: Counter,
    settled: Counter,
    is_away: AtomicBool,
}

/// Around what a server nearby takes, and around the deadline.
const SECONDS: [f64; 11] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1,
];

const ENDS: [&str; 4] = ["answered", "timed_out", "failed", "crowded"];

impl SharedLimitMetrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let ends = registry.counter_family(
            "ratelimit_redis_round_trips",
            "Questions to Redis by how they ended; one that came when too many were under way was not asked",
            [Label::closed("end", ENDS)],
            SMALL,
        )?;
        let [answered, timed_out, failed, crowded] = ENDS.map(|end| ends.with([end]));
        Ok(Self {
            seconds: registry.histogram(
                "ratelimit_redis_seconds",
                "Time that a decision waited for Redis, whether it answered or not",
                Buckets::new(SECONDS),
            )?,
            answered,
            timed_out,
            failed,
            crowded,
            fallback_admitted: registry.counter(
                "ratelimit_fallback_admitted_tokens",
                "Tokens that were taken of each limit while Redis did not decide",
            )?,
            settled: registry.counter(
                "ratelimit_settled_tokens",
                "Tokens, of all limits together, that Redis was told of after an outage",
            )?,
            is_away: AtomicBool::new(false),
        })
    }

    pub(super) fn observe(&self, event: &Event<'_>) {
        match event {
            Event::RoundTrip { elapsed, end } => {
                let count = match end {
                    RoundTripEnd::Answered => &self.answered,
                    RoundTripEnd::TimedOut => &self.timed_out,
                    RoundTripEnd::Crowded => &self.crowded,
                    _ => &self.failed,
                };
                count.inc();
                if *end != RoundTripEnd::Crowded {
                    self.seconds.observe(elapsed.as_secs_f64());
                }
            }
            Event::BreakerChanged { state } => self.tell(*state),
            Event::FallbackAdmitted { tokens } => {
                self.fallback_admitted.inc_by(u64::from(*tokens));
            }
            Event::Settled { tokens } => {
                self.settled.inc_by(*tokens);
            }
            _ => {}
        }
    }

    fn tell(&self, state: BreakerState) {
        if !self.is_news(state) {
            return;
        }
        in_span(|| {
            if state == BreakerState::Closed {
                tracing::info!(
                    "Redis decides again: limits are counted for all processes together"
                );
            } else {
                tracing::warn!(
                    "Redis failed too often: this process counts limits for itself, at half the rate divided \
                     by the expected processes, until Redis decides again"
                );
            }
        });
    }

    /// Whether an outage begins or ends. What is tried in between is no news.
    pub(super) fn is_news(&self, state: BreakerState) -> bool {
        match state {
            BreakerState::Open => !self.is_away.swap(true, Ordering::Relaxed),
            BreakerState::Closed => self.is_away.swap(false, Ordering::Relaxed),
            _ => false,
        }
    }
}
