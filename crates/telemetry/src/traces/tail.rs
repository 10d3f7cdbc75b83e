//! The decision at the end of a trace: errors and slow traces are kept.

mod shard;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry::trace::TraceId;

use self::shard::Shard;
use super::{
    ended::EndedSpan,
    lock,
    recorder::Exit,
    trace::{Fate, Held, HeldSpans, KeepReason, Trace},
};
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
///
/// A trace's spans are its own: a shard is locked where a trace begins and where it ends.
pub(super) struct TailSampler {
    rules: Tail,
    clock: Arc<dyn Clock>,
    /// By the trace id's last byte, so that threads seldom wait for each other.
    shards: Box<[Shard]>,
    rate: Mutex<Second>,
    kept: ClosedCounters<2>,
    evicted: ClosedCounters<5>,
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evicted {
    Traces,
    SpansPerTrace,
    Bytes,
    Age,
    KeptPerSecond,
}

impl Evicted {
    /// In the order of the variants.
    const NAMES: [&str; 5] = [
        "traces",
        "spans_per_trace",
        "bytes",
        "age",
        "kept_per_second",
    ];
}

/// How many traces have been kept in the running second.
#[derive(Default)]
struct Second {
    number: u64,
    kept: u32,
}

const SHARDS: usize = 16;

impl TailSampler {
    pub(super) fn new(rules: Tail, clock: Arc<dyn Clock>) -> Self {
        let shards = SHARDS.min(rules.traces.get());
        Self {
            shards: (0..shards).map(|_| Shard::new(&rules, shards)).collect(),
            rules,
            clock,
            rate: Mutex::default(),
            kept: ClosedCounters::new("reason", ["slow", "error"]),
            evicted: ClosedCounters::new("reason", Evicted::NAMES),
        }
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        self.kept.register(
            registry,
            "telemetry_tail_kept",
            "Traces kept at their end although they were not chosen at their start",
        )?;
        self.evicted.register(
            registry,
            "telemetry_tail_evictions",
            "Traces given up or cut short because a bound of tail sampling was reached",
        )
    }

    fn shard(&self, trace: TraceId) -> &Shard {
        &self.shards[usize::from(trace.to_bytes()[15]) % self.shards.len()]
    }

    /// The trace that a span without a parent here is of: the one with this id that is open, or `new`.
    pub(super) fn begin(
        &self,
        exit: &Exit,
        id: TraceId,
        now: Duration,
        new: impl FnOnce(Fate) -> Trace,
    ) -> Arc<Trace> {
        let begun = self
            .shard(id)
            .begin(id, now, || new(Fate::Open(Held::with_root())));
        // Without a shard's lock: exporting takes time.
        for (reason, trace) in begun.evicted {
            self.evict(exit, &trace, reason);
        }
        begun.trace
    }

    /// A span without a parent here has gone to another trace. The others may have waited for it.
    pub(super) fn leave(&self, exit: &Exit, trace: &Arc<Trace>) {
        let Fate::Open(held) = &trace.fate else {
            return;
        };
        if let Some(Some(rest)) = held.with(|spans| held.leave(spans)) {
            self.shard(trace.id).end(trace, rest.bytes);
            self.release(exit, trace, rest);
        }
    }

    pub(super) fn end(
        &self,
        exit: &Exit,
        trace: &Arc<Trace>,
        held: &Held,
        span: EndedSpan,
        is_root: bool,
    ) {
        let keep = self.keep_reason(&span);
        let bytes = span.bytes();
        let has_room = self.make_room(exit, trace, bytes);
        let shard = self.shard(trace.id);
        let mut span = Some(span);
        let finished = held.with(|spans| {
            let reached = if spans.ended.len() >= self.rules.spans_per_trace.get() {
                Some(Evicted::SpansPerTrace)
            } else if !has_room {
                Some(Evicted::Bytes)
            } else {
                None
            };
            let span = span.take();
            match reached {
                None => {
                    spans.ended.extend(span);
                    spans.bytes += bytes;
                }
                Some(reason) => {
                    if has_room {
                        shard.give_back(bytes);
                    }
                    if !std::mem::replace(&mut spans.was_cut_short, true) {
                        self.evicted.at(reason as usize).inc();
                    }
                }
            }
            spans.keep = spans.keep.max(keep);
            is_root.then(|| held.leave(spans)).flatten()
        });
        match finished {
            Some(Some(spans)) => {
                shard.end(trace, spans.bytes);
                self.release(exit, trace, spans);
            }
            Some(None) => {}
            // The trace was evicted: what is worth keeping by itself is kept.
            None => {
                if has_room {
                    shard.give_back(bytes);
                }
                let alone = HeldSpans::alone(span, keep);
                self.release(exit, trace, alone);
            }
        }
    }

    /// Takes room for a span that has ended, if need be from the oldest of the other traces.
    fn make_room(&self, exit: &Exit, trace: &Arc<Trace>, bytes: usize) -> bool {
        let shard = self.shard(trace.id);
        while !shard.take(bytes) {
            let Some(oldest) = shard.oldest_beside(trace, bytes) else {
                return false;
            };
            self.evict(exit, &oldest, Evicted::Bytes);
        }
        true
    }

    fn keep_reason(&self, span: &EndedSpan) -> Option<KeepReason> {
        if span.has_failed() {
            return Some(KeepReason::Error);
        }
        (span.took() > self.rules.slower_than).then_some(KeepReason::Slow)
    }

    /// A trace that is in no shard any more.
    fn evict(&self, exit: &Exit, trace: &Arc<Trace>, reason: Evicted) {
        let Fate::Open(held) = &trace.fate else {
            return;
        };
        if let Some(spans) = held.give_up() {
            self.shard(trace.id).give_back(spans.bytes);
            self.evicted.at(reason as usize).inc();
            self.release(exit, trace, spans);
        }
    }

    fn release(&self, exit: &Exit, trace: &Arc<Trace>, mut spans: HeldSpans) {
        let Some(keep) = spans.keep else { return };
        if !lock(&self.rate).admits(self.clock.monotonic(), self.rules.kept_per_second.get()) {
            self.evicted.at(Evicted::KeptPerSecond as usize).inc();
            return;
        }
        self.kept.at(keep as usize).inc();
        spans.name_exemplars(trace.id);
        for span in spans.ended {
            exit.take(trace, span);
        }
    }

    /// Releases what is held, without waiting for its end.
    pub(super) fn drain(&self, exit: &Exit) {
        for shard in &self.shards {
            for trace in shard.drain() {
                if let Fate::Open(held) = &trace.fate
                    && let Some(spans) = held.give_up()
                {
                    shard.give_back(spans.bytes);
                    self.release(exit, &trace, spans);
                }
            }
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

impl fmt::Debug for TailSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailSampler")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
