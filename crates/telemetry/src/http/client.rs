//! A tower layer for clients: client spans, propagation and request metrics.

mod future;
mod outcome;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, Uri};
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field::Empty, info_span};

use self::outcome::{Outgoing, Outgoings};
use super::{
    baggage::BaggageKeys,
    method::{known_method, span_name},
    propagation,
};
use crate::{
    clock::{Clock, SystemClock},
    metrics::{MetricError, Registry},
    traces,
};

pub use self::future::HttpClientFuture;

/// A tower layer around an HTTP client: a client span, the trace in the request's headers, and the duration
/// of each request.
///
/// `traceparent` and `tracestate` of the request are replaced by those of the span. Of `baggage`, what is in
/// the request and what is in OpenTelemetry's context passes only by [`with_baggage`](Self::with_baggage).
///
/// The span follows the OpenTelemetry semantic conventions for HTTP clients, but for `url.full`: paths and
/// queries carry personal data and secrets, and are left out. A request that has a [`UrlTemplate`] in its
/// extensions is named after it.
#[derive(Clone)]
pub struct HttpClientLayer {
    outgoings: Arc<Outgoings>,
    baggage: BaggageKeys,
    clock: Arc<dyn Clock>,
}

/// The template of an outgoing request's path, such as `/v1/keys/{id}`: put it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlTemplate(&'static str);

impl UrlTemplate {
    /// This template, which is text of the program so that there are few.
    #[must_use]
    pub const fn new(template: &'static str) -> Self {
        Self(template)
    }
}

impl HttpClientLayer {
    /// A layer whose metrics are in `registry`; clones of it serve any number of clients.
    ///
    /// # Errors
    /// When the registry has the metrics of such a layer already.
    pub fn new(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            outgoings: Arc::new(Outgoings::register(registry)?),
            baggage: BaggageKeys::default(),
            clock: Arc::new(SystemClock::new()),
        })
    }

    /// Which members of baggage are sent; default: none, and a `baggage` header is taken off the request.
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

    /// Inside the request's span.
    fn propagate(&self, headers: &mut HeaderMap) {
        if let Some(span) = traces::current_span_context() {
            propagation::put_span(headers, &span);
        }
        self.baggage.put_into(headers);
    }
}

impl<S> Layer<S> for HttpClientLayer {
    type Service = HttpClientService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpClientService {
            inner,
            layer: self.clone(),
        }
    }
}

/// What [`HttpClientLayer`] makes of a client.
#[derive(Clone, Debug)]
pub struct HttpClientService<S> {
    inner: S,
    layer: HttpClientLayer,
}

impl<S, B, R> Service<Request<B>> for HttpClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = HttpClientFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = &self.layer;
        let method = known_method(request.method());
        let server = Server::of(request.uri());
        let template = request.extensions().get::<UrlTemplate>();
        let span = client_span(method, &server, template);
        let clock = Arc::clone(&layer.clock);
        let outgoing = Outgoing::start(&layer.outgoings, &span, method, server, clock);
        let inner = span.in_scope(|| {
            layer.propagate(request.headers_mut());
            self.inner.call(request)
        });
        HttpClientFuture::new(inner, span, outgoing)
    }
}

/// Who is asked, as the request's URL says it.
struct Server {
    address: Box<str>,
    port: Option<u16>,
}

impl Server {
    fn of(uri: &Uri) -> Self {
        let port = uri.port_u16().or_else(|| match uri.scheme_str()? {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        Self {
            address: uri.host().unwrap_or_default().into(),
            port,
        }
    }
}

fn client_span(method: &'static str, server: &Server, template: Option<&UrlTemplate>) -> Span {
    let template = template.map(|UrlTemplate(template)| *template);
    info_span!(
        "http.client",
        otel.name = span_name(method, template),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        http.response.status_code = Empty,
        "error.type" = Empty,
        server.address = &*server.address,
        server.port = server.port,
        url.template = template,
        network.protocol.version = Empty,
    )
}

impl fmt::Debug for HttpClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientLayer")
            .field("baggage", &self.baggage)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
