//! Rate, errors and duration of HTTP requests.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use super::method::{METHODS, known_method};
use crate::{
    clock::Clock,
    metrics::{
        BoundedFamily, Buckets, ClosedCounters, ExemplarHistogram, Label, MetricError, Registry,
    },
};

/// Rate, errors and duration of requests, under the names of the semantic conventions.
pub(super) struct Requests {
    duration: BoundedFamily<3, ExemplarHistogram>,
    active: Gauge,
    aborted: ClosedCounters<3>,
    parents_lost: Counter,
}

const MAX_SERIES: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

/// How a request can end without an answer.
#[derive(Clone, Copy)]
pub(super) enum Abort {
    /// The connection went away.
    Cancelled,
    Panicked,
    /// The service failed instead of answering.
    Failed,
}

impl Requests {
    pub(super) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let duration = registry.exemplar_histogram_family(
            "http_server_request_duration_seconds",
            "Time from a request's head to its answer's",
            [
                Label::closed("http_request_method", METHODS),
                Label::from("http_route"),
                Label::from("http_response_status_code"),
            ],
            Buckets::REQUEST_SECONDS,
            MAX_SERIES,
        )?;
        let active = registry.gauge("http_server_active_requests", "Requests being answered")?;
        let aborted = ClosedCounters::new("reason", ["cancelled", "panicked", "failed"]);
        aborted.register(
            registry,
            "http_server_requests_aborted",
            "Requests that ended without an answer",
        )?;
        let parents_lost = registry.counter(
            "telemetry_parents_lost",
            "Requests that could not join their caller's trace: the layer sits under a reload layer",
        )?;
        Ok(Self {
            duration,
            active,
            aborted,
            parents_lost,
        })
    }

    pub(super) fn parent_lost(&self) {
        self.parents_lost.inc();
    }
}

/// A request that is being answered; counted as aborted when it is dropped before its response.
pub(super) struct RunningRequest {
    requests: Arc<Requests>,
    method: &'static str,
    route: Box<str>,
    started: Duration,
    clock: Arc<dyn Clock>,
    ended: bool,
}

impl RunningRequest {
    pub(super) fn start(
        requests: &Arc<Requests>,
        method: &Method,
        route: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        requests.active.inc();
        Self {
            requests: Arc::clone(requests),
            method: known_method(method),
            route: route.unwrap_or_default().into(),
            started: clock.monotonic(),
            clock,
            ended: false,
        }
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        let took = self.clock.monotonic().saturating_sub(self.started);
        let labels = [self.method, &self.route, status.as_str()];
        self.requests
            .duration
            .with(labels)
            .observe(took.as_secs_f64());
        self.end();
    }

    pub(super) fn aborted(&mut self, how: Abort) {
        self.requests.aborted.at(how as usize).inc();
        self.end();
    }

    fn end(&mut self) {
        self.requests.active.dec();
        self.ended = true;
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        if !self.ended {
            let panics = std::thread::panicking();
            self.aborted(if panics {
                Abort::Panicked
            } else {
                Abort::Cancelled
            });
        }
    }
}

impl fmt::Debug for RunningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningRequest")
            .field("method", &self.method)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
