//! A part of the traces that have not ended, within its part of the bounds.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::trace::TraceId;

use super::Evicted;
use crate::{
    sampling::Tail,
    traces::{
        lock,
        trace::{Fate, Trace},
    },
};

pub(super) struct Shard {
    open: Mutex<OpenTraces>,
    /// The memory of spans that have ended in them.
    bytes: AtomicUsize,
    max_bytes: usize,
    max_traces: usize,
    age: Duration,
}

#[derive(Default)]
struct OpenTraces {
    by_id: HashMap<TraceId, Arc<Trace>>,
    swept: Duration,
}

/// A trace that a span has begun in, and those that had to go for it.
pub(super) struct Begun {
    pub(super) trace: Arc<Trace>,
    pub(super) evicted: Vec<(Evicted, Arc<Trace>)>,
}

/// How often in a trace's greatest age the old ones are looked for.
const SWEEPS_PER_AGE: u32 = 8;

impl Shard {
    /// One of `shards` parts of the bounds.
    pub(super) fn new(rules: &Tail, shards: usize) -> Self {
        Self {
            open: Mutex::default(),
            bytes: AtomicUsize::new(0),
            max_bytes: rules.bytes.get() / shards,
            max_traces: rules.traces.get() / shards,
            age: rules.age,
        }
    }

    pub(super) fn begin(&self, id: TraceId, now: Duration, new: impl FnOnce() -> Trace) -> Begun {
        let mut open = lock(&self.open);
        let mut evicted = open.sweep(now, self.age);
        if let Some(trace) = open.by_id.get(&id)
            && let Fate::Open(held) = &trace.fate
            && held.join()
        {
            let trace = Arc::clone(trace);
            return Begun { trace, evicted };
        }
        if open.by_id.len() >= self.max_traces {
            let oldest = open.remove_oldest(|_| true);
            evicted.extend(oldest.map(|trace| (Evicted::Traces, trace)));
        }
        let trace = Arc::new(new());
        open.by_id.insert(id, Arc::clone(&trace));
        Begun { trace, evicted }
    }

    /// The trace has ended, whose spans took so much memory.
    pub(super) fn end(&self, trace: &Arc<Trace>, bytes: usize) {
        self.give_back(bytes);
        // Another may have begun under the id since.
        if let Entry::Occupied(entry) = lock(&self.open).by_id.entry(trace.id)
            && Arc::ptr_eq(entry.get(), trace)
        {
            entry.remove();
        }
    }

    /// Takes so much of the memory, if that much is left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let has_room = before.saturating_add(bytes) <= self.max_bytes;
        if !has_room {
            self.give_back(bytes);
        }
        has_room
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Removes the oldest trace but this one that holds something. Those that hold nothing yet would
    /// make no room, and no room is enough for a giant.
    pub(super) fn oldest_beside(&self, trace: &Arc<Trace>, bytes: usize) -> Option<Arc<Trace>> {
        if bytes > self.max_bytes {
            return None;
        }
        lock(&self.open).remove_oldest(|other| {
            let Fate::Open(held) = &other.fate else {
                return false;
            };
            !Arc::ptr_eq(other, trace) && held.with(|spans| spans.bytes > 0) == Some(true)
        })
    }

    /// Everything that is open, which is nothing afterwards.
    pub(super) fn drain(&self) -> Vec<Arc<Trace>> {
        let mut open = lock(&self.open);
        open.by_id.drain().map(|(_, trace)| trace).collect()
    }

    #[cfg(test)]
    pub(super) fn load(&self) -> (usize, usize) {
        let traces = lock(&self.open).by_id.len();
        (traces, self.bytes.load(Ordering::Relaxed))
    }
}

impl OpenTraces {
    fn sweep(&mut self, now: Duration, age: Duration) -> Vec<(Evicted, Arc<Trace>)> {
        if now.saturating_sub(self.swept) < age / SWEEPS_PER_AGE {
            return Vec::new();
        }
        self.swept = now;
        let is_old = |trace: &Arc<Trace>| now.saturating_sub(trace.began.at) >= age;
        let old = self.by_id.extract_if(|_, trace| is_old(trace));
        old.map(|(_, trace)| (Evicted::Age, trace)).collect()
    }

    /// Walks the whole table: it is called only when a bound is reached.
    fn remove_oldest(&mut self, may_go: impl Fn(&Arc<Trace>) -> bool) -> Option<Arc<Trace>> {
        let candidates = self.by_id.values().filter(|trace| may_go(trace));
        let oldest = candidates.min_by_key(|trace| trace.began.at)?.id;
        self.by_id.remove(&oldest)
    }
}
