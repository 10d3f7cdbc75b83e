//! The traces that have not ended, within bounds.

use std::{collections::HashMap, mem, time::Duration};

use opentelemetry::{
    Array, KeyValue, Value,
    trace::{Event, TraceId},
};
use opentelemetry_sdk::trace::SpanData;

use super::KeepReason;
use crate::sampling::Tail;

/// Traces that have not ended, within bounds that nothing exceeds.
pub(super) struct HeldTraces {
    traces: HashMap<TraceId, HeldTrace>,
    bytes: usize,
    swept: Duration,
    max_traces: usize,
    max_spans: usize,
    max_bytes: usize,
    age: Duration,
}

/// The spans of one trace that have ended, and how many have not.
#[derive(Default)]
pub(super) struct HeldTrace {
    pub(super) spans: Vec<SpanData>,
    pub(super) keep: Option<KeepReason>,
    since: Duration,
    open: usize,
    bytes: usize,
    cut_short: bool,
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evicted {
    Traces,
    SpansPerTrace,
    Bytes,
    Age,
    KeptPerSecond,
}

impl Evicted {
    /// In the order of the variants.
    pub(super) const NAMES: [&str; 5] = [
        "traces",
        "spans_per_trace",
        "bytes",
        "age",
        "kept_per_second",
    ];
}

pub(super) type Evictions = Vec<(Evicted, HeldTrace)>;

/// How often in a trace's greatest age the old ones are looked for.
const SWEEPS_PER_AGE: u32 = 8;

impl HeldTraces {
    /// One of `shards` parts of the bounds.
    pub(super) fn new(rules: &Tail, shards: usize) -> Self {
        Self {
            traces: HashMap::new(),
            bytes: 0,
            swept: Duration::ZERO,
            max_traces: rules.traces.get() / shards,
            max_spans: rules.spans_per_trace.get(),
            max_bytes: rules.bytes.get() / shards,
            age: rules.age,
        }
    }

    /// A span of the trace has begun.
    pub(super) fn open(&mut self, id: TraceId, now: Duration) -> Evictions {
        let mut evictions = self.sweep(now);
        if let Some(trace) = self.traces.get_mut(&id) {
            trace.open += 1;
            return evictions;
        }
        if self.traces.len() >= self.max_traces {
            evictions.extend(self.evict_oldest(Evicted::Traces, |_, _| true));
        }
        self.traces.insert(
            id,
            HeldTrace {
                since: now,
                open: 1,
                ..HeldTrace::default()
            },
        );
        evictions
    }

    /// A span of the trace has ended. The trace itself comes back when this was the last one.
    pub(super) fn close(
        &mut self,
        id: TraceId,
        span: SpanData,
        keep: Option<KeepReason>,
    ) -> (Option<HeldTrace>, Evictions) {
        let mut evictions = Vec::new();
        let size = size_of_span(&span);
        if !self.traces.contains_key(&id) {
            // The trace was evicted: what is worth keeping by itself is kept.
            let alone = HeldTrace {
                spans: vec![span],
                keep,
                ..HeldTrace::default()
            };
            return (Some(alone), evictions);
        }
        // Those that hold nothing yet would make no room, and no room is enough for a giant.
        while size <= self.max_bytes && self.bytes + size > self.max_bytes {
            let evicted = self.evict_oldest(Evicted::Bytes, |other, trace| {
                other != id && trace.bytes > 0
            });
            match evicted {
                Some(evicted) => evictions.push(evicted),
                None => break,
            }
        }
        let Some(trace) = self.traces.get_mut(&id) else {
            return (None, evictions);
        };
        let reached = if trace.spans.len() >= self.max_spans {
            Some(Evicted::SpansPerTrace)
        } else if self.bytes + size > self.max_bytes {
            Some(Evicted::Bytes)
        } else {
            None
        };
        match reached {
            None => {
                trace.spans.push(span);
                trace.bytes += size;
                self.bytes += size;
            }
            Some(reason) => {
                if !mem::replace(&mut trace.cut_short, true) {
                    evictions.push((reason, HeldTrace::default()));
                }
            }
        }
        trace.keep = trace.keep.max(keep);
        trace.open = trace.open.saturating_sub(1);
        let finished = (trace.open == 0).then(|| self.remove(id)).flatten();
        (finished, evictions)
    }

    /// Everything that is held, which is nothing afterwards.
    pub(super) fn drain(&mut self) -> Vec<HeldTrace> {
        self.bytes = 0;
        self.traces.drain().map(|(_, trace)| trace).collect()
    }

    fn sweep(&mut self, now: Duration) -> Evictions {
        if now.saturating_sub(self.swept) < self.age / SWEEPS_PER_AGE {
            return Vec::new();
        }
        self.swept = now;
        let too_old = |trace: &HeldTrace| now.saturating_sub(trace.since) >= self.age;
        let old: Vec<TraceId> = self
            .traces
            .iter()
            .filter(|(_, trace)| too_old(trace))
            .map(|(id, _)| *id)
            .collect();
        old.into_iter()
            .filter_map(|id| Some((Evicted::Age, self.remove(id)?)))
            .collect()
    }

    /// Walks the whole table: it is called only when a bound is reached.
    fn evict_oldest(
        &mut self,
        reason: Evicted,
        may_go: impl Fn(TraceId, &HeldTrace) -> bool,
    ) -> Option<(Evicted, HeldTrace)> {
        let candidates = self.traces.iter().filter(|(id, trace)| may_go(**id, trace));
        let oldest = candidates
            .min_by_key(|(_, trace)| trace.since)
            .map(|(id, _)| *id)?;
        Some((reason, self.remove(oldest)?))
    }

    fn remove(&mut self, id: TraceId) -> Option<HeldTrace> {
        let trace = self.traces.remove(&id)?;
        self.bytes -= trace.bytes;
        Some(trace)
    }

    #[cfg(test)]
    pub(super) fn load(&self) -> (usize, usize) {
        (self.traces.len(), self.bytes)
    }
}

/// An estimate from the span's own size and the texts it points to.
fn size_of_span(span: &SpanData) -> usize {
    let events: usize = span.events.events.iter().map(size_of_event).sum();
    size_of::<SpanData>() + span.name.len() + size_of_attributes(&span.attributes) + events
}

fn size_of_event(event: &Event) -> usize {
    size_of::<Event>() + event.name.len() + size_of_attributes(&event.attributes)
}

fn size_of_attributes(attributes: &[KeyValue]) -> usize {
    let texts = attributes.iter().map(|attribute| match &attribute.value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => texts.iter().map(|text| text.as_str().len()).sum(),
        _ => 0,
    });
    size_of_val(attributes) + texts.sum::<usize>()
}
