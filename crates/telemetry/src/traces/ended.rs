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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    };

    use tracing::{info, info_span, subscriber::with_default};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::{
        Environment, Logs, Ratio, Sampling, Telemetry, clock::Clock, spans::Spans, traces::lock,
    };

    /// A clock whose two times are set by hand.
    #[derive(Debug)]
    struct Hands {
        wall: Mutex<SystemTime>,
        millis: AtomicU64,
    }

    impl Clock for Hands {
        fn wall(&self) -> SystemTime {
            *lock(&self.wall)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.millis.load(Ordering::Relaxed))
        }
    }

    fn seconds(since_1970: i64) -> SystemTime {
        let distance = Duration::from_secs(since_1970.unsigned_abs());
        if since_1970 < 0 {
            SystemTime::UNIX_EPOCH - distance
        } else {
            SystemTime::UNIX_EPOCH + distance
        }
    }

    /// A span and its child, between which the wall clock is set.
    fn recorded(before: i64, after: i64) -> Vec<SpanData> {
        let clock = Arc::new(Hands {
            wall: Mutex::new(seconds(before)),
            millis: AtomicU64::new(0),
        });
        let spans = Spans::default();
        let (layer, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(spans.clone())
            .logs(Logs::Off)
            .sampling(Sampling::head(Ratio::ALL))
            .clock(clock.clone())
            .layer()
            .unwrap();
        with_default(tracing_subscriber::registry().with(layer), || {
            info_span!("outer").in_scope(|| {
                clock.millis.fetch_add(1_000, Ordering::Relaxed);
                *lock(&clock.wall) = seconds(after);
                info!("set");
                info_span!("inner").in_scope(|| clock.millis.fetch_add(500, Ordering::Relaxed));
            });
        });
        guard.shutdown(Duration::from_secs(5));
        spans.all()
    }

    /// From 1970 to year 9999 and back, as a wall clock may be set meanwhile.
    #[test]
    fn a_span_lasts_as_long_as_the_monotonic_clock_says() {
        const LAST: i64 = 253_402_300_799;
        let millis = Duration::from_millis;
        let steps = [
            (1_700_000_000, LAST),
            (1_700_000_000, 0),
            (LAST, 0),
            (0, -126_230_400),
            (-126_230_400, LAST),
        ];
        for (before, after) in steps {
            let spans = recorded(before, after);
            let [inner, outer] = spans.as_slice() else {
                panic!("{spans:?}")
            };
            let took = |span: &SpanData| span.end_time.duration_since(span.start_time).unwrap();
            let event = outer.events.iter().next().unwrap().timestamp;
            let event = event.duration_since(outer.start_time).unwrap();
            // OTLP cannot say the year 9999: all that happens then happens at its last moment.
            let expected = if before == LAST {
                [millis(0); 3]
            } else {
                [millis(1_500), millis(500), millis(1_000)]
            };
            assert_eq!(
                [took(outer), took(inner), event],
                expected,
                "{before} {after}"
            );
            assert!(outer.start_time >= SystemTime::UNIX_EPOCH);
        }
    }
}
