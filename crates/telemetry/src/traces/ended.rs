//! A span that has ended, as small as it was recorded, and the OpenTelemetry span it becomes when its
//! trace is kept.

use std::time::{Duration, SystemTime};

use opentelemetry::{
    InstrumentationScope,
    trace::{SpanContext, SpanId, SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{
    details::Details,
    trace::{Began, Trace},
};
use crate::environment::SpanLimits;

/// What is known of a span at its end.
#[derive(Debug)]
pub(super) struct EndedSpan {
    pub(super) id: SpanId,
    pub(super) parent: Parent,
    pub(super) name: &'static str,
    pub(super) started: Duration,
    pub(super) ended: Duration,
    pub(super) details: Option<Box<Details>>,
}

/// The span that another began in; invalid for none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent {
    pub(super) id: SpanId,
    pub(super) is_remote: bool,
}

impl Parent {
    pub(super) const NONE: Self = Self {
        id: SpanId::INVALID,
        is_remote: false,
    };
}

impl EndedSpan {
    pub(super) fn took(&self) -> Duration {
        self.ended.saturating_sub(self.started)
    }

    pub(super) fn has_failed(&self) -> bool {
        let details = self.details.as_ref();
        details.is_some_and(|details| matches!(details.status(), Status::Error { .. }))
    }

    /// An estimate of the memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.details.as_ref().map_or(0, |details| details.bytes())
    }

    /// The span as exporters take it. What is exported says that it was sampled.
    pub(super) fn into_span_data(
        self,
        trace: &Trace,
        scope: &InstrumentationScope,
        limits: &SpanLimits,
    ) -> SpanData {
        let times = Times {
            began: trace.began,
            start: trace.began.wall_at(self.started),
            end: trace.began.wall_at(self.ended),
        };
        let flags = trace.flags.with_sampled(true);
        let context = SpanContext::new(trace.id, self.id, flags, false, trace.state.clone());
        let mut span = SpanData {
            span_context: context,
            parent_span_id: self.parent.id,
            parent_span_is_remote: self.parent.is_remote,
            span_kind: SpanKind::Internal,
            name: self.name.into(),
            start_time: times.start,
            end_time: times.end,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: scope.clone(),
        };
        if let Some(details) = self.details {
            details.put_into(&mut span, times, limits);
        }
        span
    }
}

/// When a span was, by the wall clock.
#[derive(Clone, Copy)]
pub(super) struct Times {
    began: Began,
    start: SystemTime,
    end: SystemTime,
}

impl Times {
    /// The time of something that happened in the span.
    pub(super) fn within(&self, at: Duration) -> SystemTime {
        self.began.wall_at(at).clamp(self.start, self.end)
    }
}

impl Began {
    /// The wall clock's time at `at`, or the first or the last that OTLP can say: nanoseconds since 1970
    /// in 64 bits, which end in the year 2554.
    fn wall_at(&self, at: Duration) -> SystemTime {
        let epoch = SystemTime::UNIX_EPOCH;
        let last = epoch + Duration::from_nanos(u64::MAX);
        let wall = self.wall.clamp(epoch, last);
        // A span that joins a trace may have begun a moment before it.
        let moved = match at.checked_sub(self.at) {
            Some(later) => wall.checked_add(later),
            None => wall.checked_sub(self.at - at),
        };
        moved.unwrap_or(last).clamp(epoch, last)
    }
}
