//! Tower layers: server and client spans, propagation and request metrics.

mod baggage;
mod client;
mod future;
mod method;
mod propagation;
mod requests;

use std::{
    fmt, iter,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, HeaderMap, HeaderName, Request, Response, Version};
use opentelemetry::Context as OtelContext;
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field::Empty, info_span};

use self::{
    method::{known_method, span_name},
    requests::{Requests, RunningRequest},
};
use crate::{
    clock::{Clock, SystemClock},
    metrics::{MetricError, Registry},
    traces,
};

pub use self::{
    baggage::BaggageKeys,
    client::{HttpClientFuture, HttpClientLayer, HttpClientService, UrlTemplate},
    future::HttpFuture,
};

/// A tower layer: a server span, the caller's trace, and rate, errors, duration of each request.
///
/// It knows nothing of bodies, so that any body type passes. With axum it belongs on the router
/// (`Router::layer`), outside every other layer: there the matched path is known.
///
/// The span follows the OpenTelemetry semantic conventions for HTTP servers, but for `url.path`,
/// `url.query`, `client.address` and `user_agent.original`: they are the client's text, which may carry
/// personal data, and are left out. The duration ends with the head of the response.
#[derive(Clone)]
pub struct HttpLayer {
    route: Arc<RouteOf>,
    remote_parent: RemoteParent,
    trace_id_header: Option<HeaderName>,
    baggage: BaggageKeys,
    requests: Arc<Requests>,
    clock: Arc<dyn Clock>,
}

type RouteOf = dyn for<'r> Fn(&'r Extensions) -> Option<&'r str> + Send + Sync;

/// What becomes of a request's `traceparent` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteParent {
    /// The request continues the caller's trace, and is exported when the caller says so.
    ///
    /// # Security
    /// An untrusted caller can have each of its requests exported. Where such callers exist, use
    /// [`Link`](Self::Link).
    #[default]
    Continue,
    /// The request starts a trace of its own that links to the caller's.
    Link,
    /// The request starts a trace of its own; the header is not read.
    Ignore,
}

impl HttpLayer {
    /// A layer whose metrics are in `registry` and whose routes are what `route` finds in a
    /// request's extensions: a template such as `/v1/events/{id}`, never the path itself.
    ///
    /// With axum: `|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str)`.
    ///
    /// # Errors
    /// When the registry has request metrics already: one layer counts a request.
    pub fn new(
        registry: &Registry,
        route: impl for<'r> Fn(&'r Extensions) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Result<Self, MetricError> {
        Ok(Self {
            route: Arc::new(route),
            remote_parent: RemoteParent::default(),
            trace_id_header: None,
            baggage: BaggageKeys::default(),
            requests: Arc::new(Requests::register(registry)?),
            clock: Arc::new(SystemClock::new()),
        })
    }

    /// What becomes of a request's `traceparent` header.
    #[must_use]
    pub fn with_remote_parent(mut self, remote_parent: RemoteParent) -> Self {
        self.remote_parent = remote_parent;
        self
    }

    /// Puts the trace id into this header of each response.
    #[must_use]
    pub fn with_trace_id_header(mut self, name: HeaderName) -> Self {
        self.trace_id_header = Some(name);
        self
    }

    /// Which members of the request's baggage are put into OpenTelemetry's context, where
    /// [`HttpClientLayer`] and the program find them; default: none. With [`RemoteParent::Ignore`] none is.
    #[must_use]
    pub fn with_baggage(mut self, keys: BaggageKeys) -> Self {
        self.baggage = keys;
        self
    }

    /// The time that durations are measured with.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn baggage(&self, headers: &HeaderMap) -> Option<OtelContext> {
        let is_read = self.remote_parent != RemoteParent::Ignore;
        is_read.then(|| self.baggage.context(headers)).flatten()
    }

    fn adopt_parent(&self, span: &Span, headers: &HeaderMap) {
        let Some(remote) = propagation::remote_span(headers) else {
            return;
        };
        match self.remote_parent {
            RemoteParent::Ignore => {}
            RemoteParent::Link => traces::add_links(span, &mut iter::once(remote)),
            RemoteParent::Continue => {
                if traces::set_parent(span, &remote).is_err() {
                    self.requests.parent_lost();
                }
            }
        }
    }
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpService {
            inner,
            layer: self.clone(),
        }
    }
}

/// What [`HttpLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct HttpService<S> {
    inner: S,
    layer: HttpLayer,
}

impl<S, B, R> Service<Request<B>> for HttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = HttpFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let layer = &self.layer;
        let route = (layer.route)(request.extensions());
        let span = server_span(&request, route);
        layer.adopt_parent(&span, request.headers());
        let clock = Arc::clone(&layer.clock);
        let running = RunningRequest::start(&layer.requests, request.method(), route, clock);
        let header = layer.trace_id_header.clone();
        let baggage = layer.baggage(request.headers());
        let inner = {
            let _attached = baggage.clone().map(OtelContext::attach);
            span.in_scope(|| self.inner.call(request))
        };
        HttpFuture::new(inner, span, running, header, baggage)
    }
}

fn server_span<B>(request: &Request<B>, route: Option<&str>) -> Span {
    let method = known_method(request.method());
    info_span!(
        "http.request",
        otel.name = span_name(method, route),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        "error.type" = Empty,
        url.scheme = request.uri().scheme_str().unwrap_or("http"),
        network.protocol.version = protocol_version(request.version()),
    )
}

fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

impl fmt::Debug for HttpLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLayer")
            .field("remote_parent", &self.remote_parent)
            .field("trace_id_header", &self.trace_id_header)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
