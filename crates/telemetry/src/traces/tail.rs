//! The decision at the end of a trace: errors and slow traces are kept.

mod held;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use opentelemetry::{
    Context,
    trace::{Span as _, SpanContext, Status, TraceId},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use self::held::{Evicted, HeldTrace, HeldTraces};
use crate::{
    clock::Clock,
    metrics::{ClosedCounters, MetricError, Registry},
    sampling::Tail,
};

/// Holds the spans of traces that were not chosen at their start until the last one that is open
/// has ended, and passes on those of traces with an error or a slow span.
///
/// A span that begins after that is decided on with the spans that are open beside it, not with
/// those that are gone.
pub(super) struct TailSampler<P> {
    next: P,
    rules: Tail,
    clock: Arc<dyn Clock>,
    /// By the trace id's last byte, so that threads seldom wait for each other.
    shards: Box<[Mutex<HeldTraces>]>,
    rate: Mutex<Second>,
    kept: ClosedCounters<2>,
    evicted: ClosedCounters<5>,
}

/// Why a trace is kept; an error outweighs slowness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum KeepReason {
    Slow,
    Error,
}

/// How many traces have been kept in the running second.
#[derive(Default)]
struct Second {
    number: u64,
    kept: u32,
}

const SHARDS: usize = 16;

impl<P: SpanProcessor> TailSampler<P> {
    pub(super) fn new(next: P, rules: Tail, clock: Arc<dyn Clock>) -> Self {
        let shards = SHARDS.min(rules.traces.get());
        Self {
            next,
            shards: (0..shards)
                .map(|_| Mutex::new(HeldTraces::new(&rules, shards)))
                .collect(),
            rules,
            clock,
            rate: Mutex::default(),
            kept: ClosedCounters::new("reason", ["slow", "error"]),
            evicted: ClosedCounters::new("reason", Evicted::NAMES),
        }
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        registry.register(
            "telemetry_tail_kept",
            "Traces kept at their end although they were not chosen at their start",
            self.kept.clone(),
        )?;
        registry.register(
            "telemetry_tail_evictions",
            "Traces given up or cut short because a bound of tail sampling was reached",
            self.evicted.clone(),
        )
    }

    fn keep_reason(&self, span: &SpanData) -> Option<KeepReason> {
        if matches!(span.status, Status::Error { .. }) {
            return Some(KeepReason::Error);
        }
        let took = span
            .end_time
            .duration_since(span.start_time)
            .unwrap_or_default();
        (took > self.rules.slower_than).then_some(KeepReason::Slow)
    }

    fn shard(&self, trace: TraceId) -> MutexGuard<'_, HeldTraces> {
        let index = usize::from(trace.to_bytes()[15]) % self.shards.len();
        lock(&self.shards[index])
    }

    /// Called without a shard's lock: exporting takes time.
    fn release_evicted(&self, evictions: Vec<(Evicted, HeldTrace)>) {
        for (reason, trace) in evictions {
            self.evicted.at(reason as usize).inc();
            self.release(trace);
        }
    }

    fn release(&self, trace: HeldTrace) {
        let Some(keep) = trace.keep else { return };
        if !lock(&self.rate).admits(self.clock.monotonic(), self.rules.kept_per_second.get()) {
            self.evicted.at(Evicted::KeptPerSecond as usize).inc();
            return;
        }
        self.kept.at(keep as usize).inc();
        for mut span in trace.spans {
            span.span_context = sampled(&span.span_context);
            self.next.on_end(span);
        }
    }
}

impl Second {
    fn admits(&mut self, now: Duration, most: u32) -> bool {
        if now.as_secs() != self.number {
            *self = Self {
                number: now.as_secs(),
                kept: 0,
            };
        }
        let admits = self.kept < most;
        self.kept += u32::from(admits);
        admits
    }
}

impl<P: SpanProcessor> SpanProcessor for TailSampler<P> {
    fn on_start(&self, span: &mut Span, _context: &Context) {
        let context = span.span_context();
        if !context.is_sampled() {
            let evictions = self
                .shard(context.trace_id())
                .open(context.trace_id(), self.clock.monotonic());
            self.release_evicted(evictions);
        }
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            return self.next.on_end(span);
        }
        let keep = self.keep_reason(&span);
        let trace = span.span_context.trace_id();
        let (finished, evictions) = self.shard(trace).close(trace, span, keep);
        self.release_evicted(evictions);
        if let Some(finished) = finished {
            self.release(finished);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        for shard in &self.shards {
            let unfinished = lock(shard).drain();
            unfinished.into_iter().for_each(|trace| self.release(trace));
        }
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

fn sampled(context: &SpanContext) -> SpanContext {
    SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags().with_sampled(true),
        context.is_remote(),
        context.trace_state().clone(),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl<P> fmt::Debug for TailSampler<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailSampler")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
