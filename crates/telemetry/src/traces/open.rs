//! A span that has not ended, as the registry keeps it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::trace::SpanId;

use super::{
    details::Details,
    ended::{EndedSpan, Parent},
    trace::Trace,
};

/// What the registry keeps of a span.
pub(super) struct OpenSpan {
    pub(super) trace: Arc<Trace>,
    pub(super) id: SpanId,
    pub(super) parent: Parent,
    pub(super) name: &'static str,
    pub(super) started: Duration,
    /// Whether no span of this process is its parent in the same trace.
    pub(super) is_root: bool,
    /// Whether the span has been entered or has children, after which its trace stays what it is.
    pub(super) is_settled: AtomicBool,
    pub(super) details: Option<Box<Details>>,
}

impl OpenSpan {
    pub(super) fn settle(&self) {
        if !self.is_settled.load(Ordering::Relaxed) {
            self.is_settled.store(true, Ordering::Relaxed);
        }
    }

    /// Whether what is recorded can ever be exported. A span that may still be given a parent may.
    pub(super) fn is_recorded(&self) -> bool {
        let may_move = self.is_root && !self.is_settled.load(Ordering::Relaxed);
        may_move || !self.trace.is_ignored()
    }

    pub(super) fn end(self, now: Duration) -> (Arc<Trace>, bool, EndedSpan) {
        let ended = EndedSpan {
            id: self.id,
            parent: self.parent,
            name: self.name,
            started: self.started,
            ended: now.max(self.started),
            details: self.details,
        };
        (self.trace, self.is_root, ended)
    }
}
