//! A trace as this process sees it: its ids, and what becomes of the spans that end in it.

use std::{
    mem,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::{ended::EndedSpan, exemplar::WaitingExemplar, lock};

/// What the spans of one trace share; each of them holds on to it.
pub(super) struct Trace {
    pub(super) id: TraceId,
    pub(super) flags: TraceFlags,
    pub(super) state: TraceState,
    pub(super) began: Began,
    pub(super) fate: Fate,
}

/// One moment on both clocks. The wall clock is read once a trace; the times of all its spans go by the
/// monotonic clock from there, whatever the wall clock is set to meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Began {
    pub(super) wall: SystemTime,
    pub(super) at: Duration,
}

/// What becomes of spans that end.
pub(super) enum Fate {
    /// Nothing: they have ids and no more.
    Ignored,
    /// They are exported as they end.
    Sampled,
    /// They wait for the last one to end.
    Open(Held),
}

impl Trace {
    /// How other services and log lines name a span of the trace.
    pub(super) fn span_context(&self, span: SpanId) -> SpanContext {
        SpanContext::new(self.id, span, self.flags, false, self.state.clone())
    }

    pub(super) fn is_ignored(&self) -> bool {
        matches!(self.fate, Fate::Ignored)
    }

    /// Whether the spans were given up or passed on: one that begins now is decided on with others.
    pub(super) fn is_over(&self) -> bool {
        matches!(&self.fate, Fate::Open(held) if held.is_over())
    }
}

/// The spans of a trace that have ended before it has.
#[derive(Default)]
pub(super) struct Held {
    spans: Mutex<HeldSpans>,
    is_over: AtomicBool,
}

/// Why a trace is kept; an error outweighs slowness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeepReason {
    Slow,
    Error,
}

#[derive(Default)]
pub(super) struct HeldSpans {
    pub(super) ended: Vec<EndedSpan>,
    /// Values that name the trace once it is kept.
    pub(super) exemplars: Vec<WaitingExemplar>,
    pub(super) keep: Option<KeepReason>,
    pub(super) bytes: usize,
    pub(super) was_cut_short: bool,
    /// The open spans that have no parent in this process. The registry ends a span after its children,
    /// so that the last of these ends last.
    roots: usize,
}

impl HeldSpans {
    /// One span whose trace is gone.
    pub(super) fn alone(span: Option<EndedSpan>, keep: Option<KeepReason>) -> Self {
        Self {
            ended: span.into_iter().collect(),
            keep,
            ..Self::default()
        }
    }
}

impl Held {
    /// With the one span that begins the trace here.
    pub(super) fn with_root() -> Self {
        let spans = HeldSpans {
            roots: 1,
            ..HeldSpans::default()
        };
        Self {
            spans: Mutex::new(spans),
            is_over: AtomicBool::new(false),
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// One more span without a parent here; `false` when the trace is over.
    pub(super) fn join(&self) -> bool {
        self.with(|spans| spans.roots += 1).is_some()
    }

    /// What `act` makes of the spans; `None` when they are gone.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut HeldSpans) -> T) -> Option<T> {
        let mut spans = lock(&self.spans);
        (!self.is_over()).then(|| act(&mut spans))
    }

    /// A span without a parent here has ended. The spans come back when it was the last one.
    pub(super) fn leave(&self, spans: &mut HeldSpans) -> Option<HeldSpans> {
        spans.roots = spans.roots.saturating_sub(1);
        (spans.roots == 0).then(|| self.take(spans))
    }

    /// Ends the trace before its spans do.
    pub(super) fn give_up(&self) -> Option<HeldSpans> {
        self.with(|spans| self.take(spans))
    }

    fn take(&self, spans: &mut HeldSpans) -> HeldSpans {
        self.is_over.store(true, Ordering::Release);
        mem::take(spans)
    }
}
