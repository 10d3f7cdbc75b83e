//! Where spans begin and end: the trace that one belongs to, and what becomes of it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use super::{
    ended::{EndedSpan, Parent},
    open::OpenSpan,
    tail::TailSampler,
    trace::{Began, Fate, Trace},
};
use crate::{clock::Clock, environment::SpanLimits, sampling::Head};

/// Begins and ends spans for one subscriber.
pub(crate) struct Recorder {
    /// Tells the recorders of a process apart.
    pub(super) number: u64,
    head: Head,
    limits: SpanLimits,
    clock: Arc<dyn Clock>,
    ids: RandomIdGenerator,
    exit: Option<Box<Exit>>,
    pub(super) tail: Option<TailSampler>,
    is_shut_down: AtomicBool,
}

/// Where a span begins.
pub(super) struct SpanStart {
    pub(super) trace: Arc<Trace>,
    pub(super) parent: Parent,
    /// Whether no span of this process is its parent in the same trace.
    pub(super) is_root: bool,
    pub(super) now: Duration,
}

/// Where spans go that are exported.
pub(super) trait SpanSink: Send + Sync {
    /// Takes a span without waiting for anybody.
    fn take(&self, trace: &Arc<Trace>, span: EndedSpan);

    /// Exports what was taken, for at most `timeout`.
    fn shut_down(&self, timeout: Duration);
}

pub(super) type Exit = dyn SpanSink;

impl Recorder {
    pub(super) fn new(
        head: Head,
        limits: SpanLimits,
        clock: Arc<dyn Clock>,
        exit: Option<Box<Exit>>,
        tail: Option<TailSampler>,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            head,
            limits,
            clock,
            ids: RandomIdGenerator::default(),
            exit,
            tail,
            is_shut_down: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn limits(&self) -> &SpanLimits {
        &self.limits
    }

    /// Whether anything can be exported, so that it is worth recording and holding.
    pub(super) fn exports(&self) -> bool {
        self.exit.is_some() && !self.is_shut_down.load(Ordering::Relaxed)
    }

    pub(super) fn new_span_id(&self) -> SpanId {
        self.ids.new_span_id()
    }

    /// Where a span begins that has no parent here: in its caller's trace, or in one of its own.
    pub(super) fn begin(&self, parent: Option<&SpanContext>, now: Duration) -> SpanStart {
        SpanStart {
            trace: self.trace(parent, now),
            parent: parent.map_or(Parent::NONE, |parent| Parent {
                id: parent.span_id(),
                is_remote: parent.is_remote(),
            }),
            is_root: true,
            now,
        }
    }

    /// Where a span begins whose parent is here. When the trace is over, for its age or its size, those
    /// that begin in it from now on are decided on together.
    pub(super) fn begin_inside(
        &self,
        trace: Arc<Trace>,
        parent: SpanId,
        now: Duration,
    ) -> SpanStart {
        if trace.is_over() {
            return self.begin(Some(&trace.span_context(parent)), now);
        }
        SpanStart {
            trace,
            parent: Parent {
                id: parent,
                is_remote: false,
            },
            is_root: false,
            now,
        }
    }

    fn trace(&self, parent: Option<&SpanContext>, now: Duration) -> Arc<Trace> {
        let id = parent.map_or_else(|| self.ids.new_trace_id(), SpanContext::trace_id);
        let (flags, state) = parent.map_or_else(Default::default, |parent| {
            (parent.trace_flags(), parent.trace_state().clone())
        });
        let exports = self.exports();
        let is_sampled = exports && self.head.samples(id, parent);
        let trace = |fate| Trace {
            id,
            flags: match fate {
                Fate::Ignored => TraceFlags::default(),
                Fate::Sampled | Fate::Open(_) => flags.with_sampled(is_sampled),
            },
            state,
            began: Began {
                wall: self.clock.wall(),
                at: now,
            },
            fate,
        };
        match (self.exit.as_deref(), &self.tail) {
            (Some(_), _) if is_sampled => Arc::new(trace(Fate::Sampled)),
            (Some(exit), Some(tail)) if exports => tail.begin(exit, id, now, trace),
            _ => Arc::new(trace(Fate::Ignored)),
        }
    }

    /// A span that has begun in this trace goes to another instead.
    pub(super) fn leave_trace(&self, trace: &Arc<Trace>) {
        if let (Some(exit), Some(tail)) = (self.exit.as_deref(), &self.tail) {
            tail.leave(exit, trace);
        }
    }

    pub(super) fn end(&self, span: OpenSpan) {
        let (trace, is_root, ended) = span.end(self.now());
        self.end_span(&trace, ended, is_root);
    }

    pub(super) fn end_span(&self, trace: &Arc<Trace>, span: EndedSpan, is_root: bool) {
        let Some(exit) = self.exit.as_deref() else {
            return;
        };
        if self.is_shut_down.load(Ordering::Relaxed) {
            return;
        }
        match (&trace.fate, &self.tail) {
            (Fate::Sampled, _) => exit.take(trace, span),
            (Fate::Open(held), Some(tail)) => tail.end(exit, trace, held, span, is_root),
            (Fate::Open(_) | Fate::Ignored, _) => {}
        }
    }

    /// Exports what is chosen, for at most `timeout`; the second time nothing happens.
    pub(crate) fn shut_down(&self, timeout: Duration) {
        let Some(exit) = self.exit.as_deref() else {
            return;
        };
        if self.is_shut_down.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(tail) = &self.tail {
            tail.drain(exit);
        }
        exit.shut_down(timeout);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
