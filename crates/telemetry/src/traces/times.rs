//! Times of spans that hold whatever happens to the wall clock.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Context,
    trace::{Span as _, SpanId},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use crate::clock::Clock;

/// Gives each span the length that the monotonic clock says. OpenTelemetry reads the wall clock at
/// both ends: one that is set meanwhile makes spans of years, or of less than nothing.
pub(super) struct SpanTimes<P> {
    next: P,
    clock: Arc<dyn Clock>,
    /// When the spans that are open began, by the id's last byte.
    shards: [Mutex<HashMap<SpanId, Duration>>; SHARDS],
}

const SHARDS: usize = 16;

impl<P: SpanProcessor> SpanTimes<P> {
    pub(super) fn new(next: P, clock: Arc<dyn Clock>) -> Self {
        Self {
            next,
            clock,
            shards: Default::default(),
        }
    }

    fn shard(&self, span: SpanId) -> MutexGuard<'_, HashMap<SpanId, Duration>> {
        let shard = &self.shards[usize::from(span.to_bytes()[7]) % SHARDS];
        shard
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<P: SpanProcessor> SpanProcessor for SpanTimes<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        let id = span.span_context().span_id();
        self.shard(id).insert(id, self.clock.monotonic());
        self.next.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        let id = span.span_context.span_id();
        let started = self.shard(id).remove(&id);
        let now = self.clock.monotonic();
        let took = now.saturating_sub(started.unwrap_or(now));
        correct(&mut span, took);
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Makes the span end `took` after it began, and its events happen meanwhile.
fn correct(span: &mut SpanData, took: Duration) {
    span.start_time = within_range(span.start_time);
    span.end_time = within_range(span.start_time + took);
    for event in &mut span.events.events {
        event.timestamp = event.timestamp.clamp(span.start_time, span.end_time);
    }
}

/// The time, or the first or the last that OTLP can say: nanoseconds since 1970 in 64 bits, which end in
/// the year 2554.
fn within_range(at: SystemTime) -> SystemTime {
    let epoch = SystemTime::UNIX_EPOCH;
    at.clamp(epoch, epoch + Duration::from_nanos(u64::MAX))
}

impl<P> fmt::Debug for SpanTimes<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanTimes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{SdkTracerProvider, SimpleSpanProcessor};

    use super::*;
    use crate::{clock::FakeClock, spans::Spans};

    /// Seconds from 1970 to year 9999 and back, as a wall clock may be set meanwhile.
    #[test]
    fn a_span_lasts_as_long_as_the_monotonic_clock_says() {
        let epoch = SystemTime::UNIX_EPOCH;
        let at = |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 {
                epoch - distance
            } else {
                epoch + distance
            }
        };
        const LAST: i64 = 253_402_300_799;
        let steps = [
            (1_700_000_000, LAST),
            (LAST, 0),
            (0, -126_230_400),
            (-126_230_400, LAST),
        ];
        for (before, after) in steps {
            let clock = Arc::new(FakeClock::new(epoch));
            let spans = Spans::default();
            let times = SpanTimes::new(SimpleSpanProcessor::new(spans.clone()), clock.clone());
            let provider = SdkTracerProvider::builder()
                .with_span_processor(times)
                .build();
            let builder = SpanBuilder::from_name("work").with_start_time(at(before));
            let mut span = provider.tracer("test").build(builder);
            clock.advance(Duration::from_millis(1_500));
            span.add_event_with_timestamp("event", at(after), Vec::new());
            span.end_with_timestamp(at(after));
            let spans = spans.all();
            let [span] = spans.as_slice() else {
                panic!("{spans:?}")
            };
            let took = span.end_time.duration_since(span.start_time).unwrap();
            assert!(
                took <= Duration::from_millis(1_500),
                "{before} {after}: {took:?}"
            );
            // Where it is not cut at the end of what OTLP can say.
            if before < 18_000_000_000 {
                assert_eq!(took, Duration::from_millis(1_500), "{before} {after}");
            }
            let event = span.events.iter().next().unwrap().timestamp;
            assert!(span.start_time <= event && event <= span.end_time);
            assert!(span.start_time >= epoch);
        }
    }
}
