//! What stands around every route: its trace, a bound on requests in flight, an answer to panics,
//! and headers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::{
    HeaderValue, Method, Request,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use portcullis_telemetry::HttpLayer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::routes::{EVENTS, LEADS};
use crate::{
    http::problem::Problem,
    pipeline,
    pipeline::rejection::Rejection,
    quality::{Quality, Reason},
};

/// What all requests of a listener share.
#[derive(Clone)]
pub(crate) struct Guards {
    in_flight: Arc<Semaphore>,
    /// The books that refused events and leads enter.
    books: Option<Quality>,
    pub(super) trace: HttpLayer,
}

/// A place among the requests in flight. Work that goes on when its sender is gone keeps a clone.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    _place: Arc<OwnedSemaphorePermit>,
}

impl Guards {
    /// At most `in_flight` requests are worked on at once; more are refused at once.
    pub(crate) fn new(in_flight: usize, trace: HttpLayer) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(in_flight)),
            books: None,
            trace,
        }
    }

    /// Enters what is refused here, and would have been taken in, into the books.
    pub(super) fn with_books(self, quality: &Quality) -> Self {
        Self {
            books: Some(quality.clone()),
            ..self
        }
    }

    fn book(&self, request: &Request<Body>, rejection: &Rejection) {
        let path = request.extensions().get::<MatchedPath>();
        let brings_records = request.method() == Method::POST
            && path.is_some_and(|path| [EVENTS, LEADS].contains(&path.as_str()));
        if let Some(quality) = self.books.as_ref().filter(|_| brings_records) {
            pipeline::book_refused(quality, rejection);
        }
    }
}

/// Refuses what would be one request too many.
pub(super) async fn admit_request(
    State(guards): State<Guards>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let Ok(place) = Arc::clone(&guards.in_flight).try_acquire_owned() else {
        let rejection = Rejection::plain(Reason::CapacityOverloaded);
        guards.book(&request, &rejection);
        return Problem::from(rejection).into_response();
    };
    let place = InFlight {
        _place: Arc::new(place),
    };
    request.extensions_mut().insert(place.clone());
    let answer = next.run(request).await;
    drop(place);
    answer
}

/// A bug costs one request, not the connection, and the answer says nothing of it.
pub(super) async fn answer_panics(request: Request<Body>, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!("a request handler panicked");
        Problem::from(Rejection::plain(Reason::Internal)).into_response()
    })
}

/// Answers hold personal data or secrets: they are never cached, sniffed or framed.
pub(super) async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
