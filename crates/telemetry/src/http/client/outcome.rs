//! Duration and errors of outgoing requests.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use http::{StatusCode, Version};
use tracing::Span;

use super::Server;
use crate::{
    clock::Clock,
    http::{method::METHODS, protocol_version},
    metrics::{BoundedFamily, Buckets, ExemplarHistogram, Label, MetricError, Registry},
};

/// The duration of outgoing requests, under the name of the semantic conventions.
pub(super) struct Outgoings {
    duration: BoundedFamily<5, ExemplarHistogram>,
}

const MAX_SERIES: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

impl Outgoings {
    pub(super) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let duration = registry.exemplar_histogram_family(
            "http_client_request_duration_seconds",
            "Time from an outgoing request to the head of its answer",
            [
                Label::closed("http_request_method", METHODS),
                Label::from("server_address"),
                Label::from("server_port"),
                Label::from("http_response_status_code"),
                Label::from("error_type"),
            ],
            Buckets::REQUEST_SECONDS,
            MAX_SERIES,
        )?;
        Ok(Self { duration })
    }
}

/// A request that is waiting for its answer; cancelled when it is dropped before.
pub(super) struct Outgoing {
    outgoings: Arc<Outgoings>,
    span: Span,
    method: &'static str,
    server: Server,
    started: Duration,
    clock: Arc<dyn Clock>,
    has_ended: bool,
}

impl Outgoing {
    pub(super) fn start(
        outgoings: &Arc<Outgoings>,
        span: &Span,
        method: &'static str,
        server: Server,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            outgoings: Arc::clone(outgoings),
            span: span.clone(),
            method,
            server,
            started: clock.monotonic(),
            clock,
            has_ended: false,
        }
    }

    /// A client's request has failed with 4xx as with 5xx: it did not get what it asked for.
    pub(super) fn answered(&mut self, status: StatusCode, version: Version) {
        let code = i64::from(status.as_u16());
        self.span.record("http.response.status_code", code);
        if let Some(version) = protocol_version(version) {
            self.span.record("network.protocol.version", version);
        }
        let is_error = status.is_client_error() || status.is_server_error();
        let error = if is_error { status.as_str() } else { "" };
        self.end(status.as_str(), error);
    }

    pub(super) fn failed(&mut self, kind: &'static str) {
        self.end("", kind);
    }

    fn end(&mut self, status: &str, error: &str) {
        self.has_ended = true;
        if !error.is_empty() {
            self.span.record("error.type", error);
            self.span.record("otel.status_code", "error");
        }
        let took = self.clock.monotonic().saturating_sub(self.started);
        let port = self
            .server
            .port
            .map_or_else(String::new, |port| port.to_string());
        let labels = [self.method, &self.server.address, &port, status, error];
        let series = self.outgoings.duration.with(labels);
        self.span.in_scope(|| series.observe(took.as_secs_f64()));
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.has_ended {
            let panics = std::thread::panicking();
            self.failed(if panics { "panic" } else { "cancelled" });
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
